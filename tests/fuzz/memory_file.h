// A file in memory, for readers that want a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/system.h"

namespace malssi::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : file_(::memfd_create("input", MFD_CLOEXEC)) {
    if (!file_) throw_system("create", "input", errno);
    write_all(file_.get(), content.data(), static_cast<int64_t>(content.size()), "input");
  }
  fs::path path() const { return "/proc/self/fd/" + std::to_string(file_.get()); }

 private:
  Descriptor file_;
};

}  // namespace malssi::fuzz
