#include "base/system.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

std::string_view remedy(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return "check the spelling of the path";
    case EACCES:
    case EPERM:
      return "check who owns it and its permissions";
    case EISDIR:
      return "name a file, not a folder";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another place; what was there before is untouched";
    case EIO:
      return "the device failed; check the disk, or choose another place; what was there before is "
             "untouched";
    case EROFS:
      return "the file system is read-only; choose another place";
    case EMFILE:
    case ENFILE:
      return "too many open files; raise the limit with ulimit -n";
    case ENAMETOOLONG:
    case ELOOP:
      return "choose another path";
    case ENOMEM:
      return "free some memory";
    default:
      return "choose another place or try again";
  }
}

}  // namespace

void throw_system(std::string_view action, const fs::path& path, int code) {
  throw Error(
      concat("cannot ", action, " ", path.string(), ": ", std::strerror(code), ": ", remedy(code)));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

void Descriptor::reset() {
  if (fd_ >= 0) ::close(release());
}

Descriptor open_descriptor(const fs::path& path, int flags, std::string_view action) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  if (fd < 0) throw_system(action, path, errno);
  return Descriptor(fd);
}

void write_all(int fd, const void* data, int64_t size, const fs::path& path) {
  constexpr int64_t kMost = int64_t{1} << 30;  // one call takes less than 2 GiB
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count =
        retry([&] { return ::write(fd, at, static_cast<size_t>(std::min(size, kMost))); });
    if (count <= 0) throw_system("write", path, count < 0 ? errno : ENOSPC);
    at += count;
    size -= count;
  }
}

void sync_descriptor(int fd, const fs::path& path) {
  if (retry([&] { return ::fsync(fd); }) == 0) return;
  if (errno == EINVAL || errno == ENOTSUP) return;
  throw_system("save", path, errno);
}

}  // namespace malssi
