#include "e2e/fault_injector.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

FaultPlan plan;
std::atomic<bool> armed{false};
std::atomic<int64_t> counted{0};

// The function that this library stands in front of.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool path_matches(const char* path) { return std::strstr(path, plan.path) != nullptr; }

bool descriptor_matches(int fd) {
  if (plan.path[0] == '\0') return true;
  char link[64], path[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof(path) - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return path_matches(path);
}

// Counts a call; true when it is one to fail.
bool strikes(int call) {
  if (!(plan.calls & call)) return false;
  const int64_t number = ++counted;
  return plan.kind != kFaultNone && (number == plan.at || (plan.sticky && number > plan.at));
}

// What a call that is struck returns: -1 with errno, or what `real` returns.
template <class Real>
int fail(Real&& real) {
  if (plan.kind == kFaultKill) ::kill(::getpid(), SIGKILL);
  if (plan.kind == kFaultShort) return real();
  errno = plan.kind == kFaultNoSpace ? ENOSPC : plan.kind == kFaultIo ? EIO : EINTR;
  return -1;
}

template <class Write>
ssize_t fail_write(size_t size, Write&& write) {
  if (plan.kind == kFaultShort) return write((size + 1) / 2);
  if (plan.kind == kFaultKill) write(size / 2);
  return fail([] { return 0; });
}

void arm_from_environment() {
  const auto value = [](const char* name) {
    const char* text = ::getenv(name);
    return text ? text : "";
  };
  const char* const kinds[] = {"", "enospc", "eio", "eintr", "short", "kill"};
  for (int i = 1; i < 6; ++i)
    if (std::strcmp(value("MALSSI_FAULT"), kinds[i]) == 0) plan.kind = static_cast<FaultKind>(i);
  plan.at = std::atoll(value("MALSSI_FAULT_AT"));
  plan.sticky = value("MALSSI_FAULT_STICKY")[0] == '1';
  plan.path = value("MALSSI_FAULT_PATH");
  if (const char* calls = value("MALSSI_FAULT_CALLS"); calls[0])
    plan.calls = (std::strstr(calls, "write") ? kFaultWrites : 0) |
                 (std::strstr(calls, "fsync") ? kFaultSyncs : 0) |
                 (std::strstr(calls, "rename") ? kFaultRenames : 0);
  armed = plan.kind != kFaultNone || value("MALSSI_FAULT_COUNT")[0];
}

struct Environment {
  Environment() { arm_from_environment(); }
  ~Environment() {
    const char* path = ::getenv("MALSSI_FAULT_COUNT");
    if (!path) return;
    armed = false;
    if (std::FILE* file = std::fopen(path, "w")) {
      std::fprintf(file, "%lld\n", static_cast<long long>(counted.load()));
      std::fclose(file);
    }
  }
} environment;

}  // namespace

extern "C" {

void fault_arm(const FaultPlan* new_plan) {
  plan = *new_plan;
  counted = 0;
  armed = true;
}

int64_t fault_disarm() {
  armed = false;
  return counted;
}

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = next<decltype(write)>("write");
  if (!armed || !descriptor_matches(fd) || !strikes(kFaultWrites)) return real(fd, data, size);
  return fail_write(size, [&](size_t part) { return real(fd, data, part); });
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  static const auto real = next<decltype(pwrite)>("pwrite");
  if (!armed || !descriptor_matches(fd) || !strikes(kFaultWrites))
    return real(fd, data, size, offset);
  return fail_write(size, [&](size_t part) { return real(fd, data, part, offset); });
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return pwrite(fd, data, size, offset);
}

int fsync(int fd) {
  static const auto real = next<decltype(fsync)>("fsync");
  if (!armed || !descriptor_matches(fd) || !strikes(kFaultSyncs)) return real(fd);
  return fail([&] { return real(fd); });
}

int fdatasync(int fd) {
  static const auto real = next<decltype(fdatasync)>("fdatasync");
  if (!armed || !descriptor_matches(fd) || !strikes(kFaultSyncs)) return real(fd);
  return fail([&] { return real(fd); });
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = next<decltype(rename)>("rename");
  if (!armed || !path_matches(to) || !strikes(kFaultRenames)) return real(from, to);
  return fail([&] { return real(from, to); });
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  static const auto real = next<decltype(renameat2)>("renameat2");
  if (!armed || !path_matches(to) || !strikes(kFaultRenames))
    return real(from_folder, from, to_folder, to, flags);
  return fail([&] { return real(from_folder, from, to_folder, to, flags); });
}

}  // extern "C"
