#include "base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "base/file.h"

namespace malssi {
namespace {

// " (process 123)" if the lock file says so.
std::string holder(const fs::path& path) {
  const std::string text = read_file(path, 64);
  const bool number = !text.empty() && text.find_first_not_of("0123456789\n") == text.npos;
  return number ? " (process " + text.substr(0, text.find('\n')) + ")" : "";
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw_system("create", folder, failure.value());
  const fs::path path = folder / ".lock";
  file_ = open_descriptor(path, O_RDWR | O_CREAT, "write");
  if (retry([&] { return ::flock(file_.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) throw_system("lock", path, errno);
    throw Error(concat("another run", holder(path), " is writing ", folder.string(),
                       ": wait for it to end or choose another folder"));
  }
  if (::ftruncate(file_.get(), 0) != 0) throw_system("write", path, errno);
  const std::string text = std::to_string(::getpid()) + "\n";
  write_all(file_.get(), text.data(), static_cast<int64_t>(text.size()), path);
}

}  // namespace malssi
