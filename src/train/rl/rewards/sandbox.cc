#include "train/rl/rewards/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "base/format.h"

namespace malssi {
namespace {

using Clock = std::chrono::steady_clock;

// All that the child needs, made before the fork: between fork and exec it may not allocate.
struct Prepared {
  std::vector<std::string> environment;
  std::vector<char*> environment_pointers;
  std::array<const char*, 4> arguments = {"/bin/sh", "-c", nullptr, nullptr};
  const char* folder = nullptr;
  const SandboxLimits* limits = nullptr;
  int input = -1, output = -1, nothing = -1;
};

Prepared prepare(const std::string& command, const fs::path& folder, const SandboxLimits& limits) {
  Prepared all;
  const char* path = std::getenv("PATH");
  all.environment = {concat("PATH=", path ? path : "/usr/local/bin:/usr/bin:/bin"),
                     "HOME=" + folder.string(), "TMPDIR=" + folder.string(), "LANG=C.UTF-8"};
  for (std::string& each : all.environment) all.environment_pointers.push_back(each.data());
  all.environment_pointers.push_back(nullptr);
  all.arguments[2] = command.c_str();
  all.folder = folder.c_str();
  all.limits = &limits;
  return all;
}

void limit(int what, int64_t most) {
  const auto value = static_cast<rlim_t>(most);
  const rlimit both = {value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &both);
}

[[noreturn]] void become_command(const Prepared& all) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int each : {SIGPIPE, SIGINT, SIGTERM}) ::signal(each, SIG_DFL);
  const SandboxLimits& limits = *all.limits;
  limit(RLIMIT_CPU, static_cast<int64_t>(std::ceil(limits.seconds)));
  limit(RLIMIT_AS, limits.memory_bytes);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 256);
  if (::dup2(all.input, 0) < 0 || ::dup2(all.output, 1) < 0 || ::dup2(all.nothing, 2) < 0)
    ::_exit(127);
  ::close_range(3, ~0u, 0);
  if (::chdir(all.folder) != 0) ::_exit(127);
  ::execve(all.arguments[0], const_cast<char* const*>(all.arguments.data()),
           all.environment_pointers.data());
  ::_exit(127);
}

// Namespaces of the child's own: no network, no other process to signal.
bool separate() {
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS) == 0;
}

// Afterwards: nothing to write to but the folder.
bool lock_files_but(const char* folder) {
  mount_attr locked = {}, open = {};
  locked.attr_set = MOUNT_ATTR_RDONLY;
  open.attr_clr = MOUNT_ATTR_RDONLY;
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(folder, folder, nullptr, MS_BIND, nullptr) == 0 &&
         ::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &locked, sizeof locked) == 0 &&
         ::mount_setattr(AT_FDCWD, folder, 0, &open, sizeof open) == 0;
}

// In the child. With namespaces of its own the command becomes the first process of one, with which all others there end.
[[noreturn]] void enter_sandbox(const Prepared& all) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!separate()) become_command(all);
  lock_files_but(all.folder);
  limit(RLIMIT_NPROC, all.limits->processes);
  const pid_t inner = ::fork();
  if (inner == 0) become_command(all);
  if (inner < 0) ::_exit(127);
  ::close_range(3, ~0u, 0);  // the output ends with the command
  int status = 0;
  while (::waitpid(inner, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    ::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

// Reads what is there; false at the end.
bool drain(int fd, int64_t most, std::string& output) {
  std::array<char, 4096> room;
  while (true) {
    const ssize_t got = retry([&] { return ::read(fd, room.data(), room.size()); });
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    const int64_t free = most - std::ssize(output);
    output.append(room.data(), static_cast<size_t>(std::clamp<int64_t>(free, 0, got)));
  }
}

bool has_ended(pid_t child) {
  siginfo_t info = {};
  const auto id = static_cast<id_t>(child);
  return ::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

SandboxResult watch(pid_t child, int output, const SandboxLimits& limits) {
  SandboxResult result;
  const auto deadline = Clock::now() + std::chrono::duration<double>(limits.seconds);
  bool open = true, late = false;
  while (!has_ended(child) && !late) {
    pollfd waiting = {.fd = open ? output : -1, .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, open ? 10 : 2);
    if (open) open = drain(output, limits.output_bytes, result.output);
    late = Clock::now() > deadline;
  }
  ::kill(-child, SIGKILL);  // the whole group, before its number can be another's
  int status = 0;
  retry([&] { return ::waitpid(child, &status, 0); });
  if (open) drain(output, limits.output_bytes, result.output);
  using End = SandboxResult::End;
  result.end = late ? End::timed_out : WIFEXITED(status) ? End::exited : End::killed;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  return result;
}

}  // namespace

SandboxResult run_sandboxed(const std::string& command, const fs::path& folder,
                            const fs::path& input, const SandboxLimits& limits) {
  Prepared all = prepare(command, folder, limits);
  const Descriptor in = open_descriptor(input, O_RDONLY, "read");
  const Descriptor nothing = open_descriptor("/dev/null", O_RDWR, "open");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_system("make a pipe for", command, errno);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  all.input = in.get();
  all.output = write_end.get();
  all.nothing = nothing.get();
  const pid_t child = ::fork();
  if (child == 0) enter_sandbox(all);
  if (child < 0) throw_system("start", command, errno);
  ::setpgid(child, child);  // whoever comes first
  write_end.reset();
  return watch(child, read_end.get(), limits);
}

bool sandbox_isolates() {
  const fs::path folder = fs::temp_directory_path();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(separate() && lock_files_but(folder.c_str()) ? 0 : 1);
  if (child < 0) return false;
  int status = 0;
  retry([&] { return ::waitpid(child, &status, 0); });
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string describe(const SandboxResult& result, const SandboxLimits& limits) {
  switch (result.end) {
    case SandboxResult::End::exited:
      return concat("exited with status ", result.code);
    case SandboxResult::End::killed:
      return concat("was killed by signal ", result.code);
    case SandboxResult::End::timed_out:
      return concat("took more than ", human_number(limits.seconds), " s");
  }
  CHECK(false, "unknown end");
}

}  // namespace malssi
