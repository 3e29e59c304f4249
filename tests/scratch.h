// Helpers of tests that touch files: a folder that disappears, and the message of the Error that a
// piece of code throws.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace malssi {

// A fresh folder under the system's temporary one, removed with everything in it.
class ScratchFolder {
 public:
  explicit ScratchFolder(const fs::path& parent = fs::temp_directory_path()) {
    std::string name = (parent / "malssi-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw_system("create", name, errno);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }
  fs::path operator/(std::string_view name) const { return path_ / name; }

 private:
  fs::path path_;
};

// Plain and quick: without fsync, and as a new file, since ext4 flushes one that was cut to nothing and written again.
inline void overwrite(const fs::path& path, std::string_view content) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// The message of the Error thrown by body; "" when it throws none. Any other exception fails the
// test.
template <class Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& other) {
    ADD_FAILURE() << "not an Error but: " << other.what();
  }
  return "";
}

// An error as users shall see it: one line of reasonable length.
inline bool is_one_line(const std::string& message) {
  return !message.empty() && message.size() < 1000 && message.find('\n') == message.npos;
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace malssi
