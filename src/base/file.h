// Files: read, mapped, and written whole or not at all (temporary name, fsync, rename, fsync of the
// folder). Every failure throws Error with one line that names the path, what happened and what to
// do. Short and interrupted writes are continued. A reader of a file or folder written here sees
// the old one or the new one, never a mixture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/system.h"

namespace malssi {

// Whether a path leads to something, to a folder. False, too, where this cannot be found out.
bool path_exists(const fs::path& path);
bool is_folder(const fs::path& path);

// A file mapped read-only into memory. Move-only; empty files are allowed. The file must not shrink
// while it is mapped.
class MappedFile {
 public:
  static MappedFile open(const fs::path& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, static_cast<size_t>(size_)}; }
  std::string_view text() const;
  int64_t size() const { return size_; }

 private:
  MappedFile(const std::byte* data, int64_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

// The whole file (a pipe is read to its end). Throws when it is longer than max_bytes.
std::string read_file(const fs::path& path, int64_t max_bytes = int64_t{1} << 30);

// When a file reaches the disk: with its commit(), or later, with the commit() of the AtomicFolder that it is part of.
enum class Durability { now, later };

// A file that appears under its name, complete, at commit(). Without commit nothing remains.
// Written as <name>.tmp, which is locked meanwhile, so that two writers of one file cannot mix. A
// symbolic link is followed.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path, Durability durability = Durability::now);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, int64_t size);
  void write(std::string_view text) { write(text.data(), static_cast<int64_t>(text.size())); }
  // Bytes written so far.
  int64_t size() const { return size_; }
  void commit();

 private:
  enum class State { writing, failed, committed };
  void flush();

  fs::path path_, temporary_;
  Descriptor file_;
  std::string buffer_;
  int64_t size_ = 0;
  Durability durability_;
  State state_ = State::writing;
};

// Writes a small file whole or not at all.
void write_file(const fs::path& path, std::string_view content,
                Durability durability = Durability::now);

// A folder that appears under its name, complete, at commit(): fill staging() (<name>.tmp), then
// commit. MANIFEST.json with the size and hash of every file is added. An older folder of that name
// is replaced if it was made this way and holds nothing else; otherwise the constructor refuses, so
// that no one's files are lost. Missing parents are created.
class AtomicFolder {
 public:
  explicit AtomicFolder(const fs::path& target);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder&) = delete;
  AtomicFolder& operator=(const AtomicFolder&) = delete;

  const fs::path& staging() const { return staging_; }
  void commit();

 private:
  fs::path target_, staging_;
  Descriptor lock_;
  bool committed_ = false;
};

inline constexpr std::string_view kManifestName = "MANIFEST.json";

// Compares a folder with its MANIFEST.json; throws Error naming the first missing, resized or
// damaged file. Files that the manifest does not list are ignored.
void verify_folder(const fs::path& folder);

// Makes the names in a folder durable.
void sync_folder(const fs::path& folder);

// Appends whole records. A record that could not be written completely is taken back before the
// error is thrown.
class AppendFile {
 public:
  struct Options {
    std::optional<int64_t> keep_bytes =
        {};                          // cut the existing file to this length first (a resumed run)
    bool drop_partial_line = false;  // cut what follows the last newline (a killed run)
  };
  explicit AppendFile(fs::path path) : AppendFile(std::move(path), Options{}) {}
  AppendFile(fs::path path, const Options& options);

  void write(std::string_view record);
  void sync();
  // Length of the file, for Options::keep_bytes.
  int64_t size() const { return size_; }

 private:
  fs::path path_;
  Descriptor file_;
  int64_t size_ = 0;
};

}  // namespace malssi
