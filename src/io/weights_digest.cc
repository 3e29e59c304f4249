#include "io/weights_digest.h"

#include "base/hash.h"
#include "io/model_folder.h"
#include "io/model_source.h"
#include "io/weight_files.h"

namespace malssi {

std::string weights_digest(const fs::path& model_or_run) {
  if (!is_folder(model_or_run)) {
    const MappedFile file = MappedFile::open(model_or_run);
    return hash_text(hash64_mapped(file.bytes()));
  }
  uint64_t hash = 0;
  WeightFiles::open(find_model(model_or_run)).for_each([&](const Entry& entry) {
    hash = hash64_mapped(entry.bytes, hash64(entry.name, hash));
  });
  return hash_text(hash);
}

}  // namespace malssi
