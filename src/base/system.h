// System calls: failures turned into one line with a remedy, interrupted calls repeated,
// descriptors owned.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

namespace malssi {

namespace fs = std::filesystem;

// Throws Error "cannot <action> <path>: <what the system said>: <what to do>".
[[noreturn]] void throw_system(std::string_view action, const fs::path& path, int code);

// Repeats a call that a signal interrupted; returns its result, -1 with errno set on failure.
template <class Call>
auto retry(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

// Opens or throws "cannot <action> <path>"; close-on-exec.
Descriptor open_descriptor(const fs::path& path, int flags, std::string_view action);
// Writes everything, continuing after short and interrupted writes.
void write_all(int fd, const void* data, int64_t size, const fs::path& path);
// fsync; a file system that cannot sync folders is no error.
void sync_descriptor(int fd, const fs::path& path);

}  // namespace malssi
