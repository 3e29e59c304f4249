// A folder's lock: two runs must not write one folder.
#pragma once

#include "base/system.h"

namespace malssi {

// Holds <folder>/.lock (flock: released by the system even when the process is killed). Creates the
// folder if it is missing. Throws Error naming the process that holds it.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder);

 private:
  Descriptor file_;
};

}  // namespace malssi
