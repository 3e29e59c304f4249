#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kBuffer = int64_t{1} << 18;

struct stat status_of(int fd, const fs::path& path) {
  struct stat status;
  if (::fstat(fd, &status) != 0) throw_system("read", path, errno);
  return status;
}

// Opens the locked, empty temporary file; the loop ends the race with a writer that renames it
// between open and lock.
Descriptor open_temporary(const fs::path& temporary, const fs::path& path) {
  while (true) {
    Descriptor file = open_descriptor(temporary, O_RDWR | O_CREAT | O_NOFOLLOW, "create");
    if (retry([&] { return ::flock(file.get(), LOCK_EX | LOCK_NB); }) != 0) {
      REQUIRE(errno != EWOULDBLOCK, "cannot write ", path.string(),
              ": another process is writing it: wait for it to end");
    }
    const struct stat opened = status_of(file.get(), temporary);
    struct stat named;
    if (::stat(temporary.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
        named.st_dev != opened.st_dev)
      continue;
    if (retry([&] { return ::ftruncate(file.get(), 0); }) != 0)
      throw_system("create", temporary, errno);
    return file;
  }
}

// Follows links; refuses what a rename would destroy.
fs::path writable_target(const fs::path& path) {
  REQUIRE(!path.empty() && path.has_filename(), "cannot write \"", path.string(),
          "\": no file name: name a file");
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  REQUIRE(!fs::is_directory(status), "cannot write ", path.string(),
          ": it is a folder: name a file");
  REQUIRE(!fs::exists(status) || fs::is_regular_file(status), "cannot write ", path.string(),
          ": it is not a regular file: name another");
  if (!fs::is_symlink(fs::symlink_status(path, ignored))) return path;
  const fs::path followed = fs::weakly_canonical(path, ignored);
  return ignored ? path : followed;
}

}  // namespace

bool path_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

MappedFile MappedFile::open(const fs::path& path) {
  const Descriptor file = open_descriptor(path, O_RDONLY, "read");
  const struct stat status = status_of(file.get(), path);
  if (S_ISDIR(status.st_mode)) throw_system("read", path, EISDIR);
  REQUIRE(S_ISREG(status.st_mode), "cannot read ", path.string(),
          ": it is not a regular file: save its content to a file first");
  const int64_t size = status.st_size;
  if (size == 0) return {};
  void* data = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) throw_system("map", path, errno);
  return {static_cast<const std::byte*>(data), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), static_cast<size_t>(size_));
}

std::string_view MappedFile::text() const {
  return {reinterpret_cast<const char*>(data_), static_cast<size_t>(size_)};
}

std::string read_file(const fs::path& path, int64_t max_bytes) {
  const Descriptor file = open_descriptor(path, O_RDONLY, "read");
  const struct stat status = status_of(file.get(), path);
  if (S_ISDIR(status.st_mode)) throw_system("read", path, EISDIR);
  const int64_t expected = status.st_size;
  const auto check_size = [&](int64_t size) {
    REQUIRE(size <= max_bytes, "cannot read ", path.string(), ": it is longer than ", max_bytes,
            " bytes, the most allowed here: is it the right file?");
  };
  check_size(expected);
  std::string content;
  int64_t length = 0;
  while (true) {
    content.resize(static_cast<size_t>(std::max(expected + 1, length + length / 2 + 4096)));
    const int64_t room = static_cast<int64_t>(content.size()) - length;
    const ssize_t count = retry(
        [&] { return ::read(file.get(), content.data() + length, static_cast<size_t>(room)); });
    if (count < 0) throw_system("read", path, errno);
    if (count == 0) break;
    length += count;
    check_size(length);
  }
  content.resize(static_cast<size_t>(length));
  return content;
}

AtomicFile::AtomicFile(fs::path path, Durability durability)
    : path_(writable_target(path)), temporary_(path_), durability_(durability) {
  temporary_ += ".tmp";
  file_ = open_temporary(temporary_, path_);
}

AtomicFile::~AtomicFile() {
  if (state_ != State::committed) ::unlink(temporary_.c_str());  // while still locked
}

void AtomicFile::write(const void* data, int64_t size) {
  CHECK(state_ != State::committed, "write after commit");
  size_ += size;
  if (static_cast<int64_t>(buffer_.size()) + size < kBuffer) {
    buffer_.append(static_cast<const char*>(data), static_cast<size_t>(size));
    return;
  }
  flush();
  state_ = State::failed;
  write_all(file_.get(), data, size, path_);
  state_ = State::writing;
}

void AtomicFile::flush() {
  REQUIRE(state_ == State::writing, "cannot save ", path_.string(), ": an earlier write failed");
  state_ = State::failed;
  write_all(file_.get(), buffer_.data(), static_cast<int64_t>(buffer_.size()), path_);
  state_ = State::writing;
  buffer_.clear();
}

void AtomicFile::commit() {
  CHECK(state_ != State::committed, "committed twice");
  flush();
  state_ = State::failed;
  if (durability_ == Durability::now) sync_descriptor(file_.get(), path_);
  if (retry([&] { return ::rename(temporary_.c_str(), path_.c_str()); }) != 0)
    throw_system("save", path_, errno);
  state_ = State::committed;
  file_.reset();
  if (durability_ == Durability::now) sync_folder(path_.parent_path());
}

void write_file(const fs::path& path, std::string_view content, Durability durability) {
  AtomicFile file(path, durability);
  file.write(content);
  file.commit();
}

void sync_folder(const fs::path& folder) {
  const fs::path named = folder.empty() ? fs::path(".") : folder;
  const Descriptor descriptor = open_descriptor(named, O_RDONLY | O_DIRECTORY, "open");
  sync_descriptor(descriptor.get(), named);
}

AppendFile::AppendFile(fs::path path, const Options& options) : path_(std::move(path)) {
  file_ = open_descriptor(path_, O_RDWR | O_CREAT | O_APPEND, "write");
  size_ = status_of(file_.get(), path_).st_size;
  int64_t keep = std::min(size_, options.keep_bytes.value_or(size_));
  if (options.drop_partial_line && keep > 0) {
    const std::string content = read_file(path_, int64_t{1} << 40);
    const size_t last = content.rfind('\n', static_cast<size_t>(keep - 1));
    keep = last == std::string::npos ? 0 : static_cast<int64_t>(last) + 1;
  }
  if (keep < size_ && retry([&] { return ::ftruncate(file_.get(), keep); }) != 0)
    throw_system("write", path_, errno);
  size_ = keep;
}

void AppendFile::write(std::string_view record) {
  try {
    write_all(file_.get(), record.data(), static_cast<int64_t>(record.size()), path_);
  } catch (const Error&) {
    // Best effort: the error that is under way tells the user more than a second one would.
    [[maybe_unused]] const int ignored = ::ftruncate(file_.get(), size_);
    throw;
  }
  size_ += static_cast<int64_t>(record.size());
}

void AppendFile::sync() { sync_descriptor(file_.get(), path_); }

}  // namespace malssi
