#include "train/align/reference.h"

#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

namespace malssi {
namespace {

fs::path reference_file(const fs::path& run) { return run / "reference.json"; }

std::string hash_of(const ReferenceLogProbs& reference) {
  const uint64_t first = hash64(std::as_bytes(std::span(reference.train)));
  return hash_text(hash64(std::as_bytes(std::span(reference.validation)), first));
}

}  // namespace

void save_reference(const fs::path& run, const ReferenceLogProbs& reference,
                    const std::string& data_hash) {
  const Json json = {{"data", data_hash},
                     {"hash", hash_of(reference)},
                     {"train", reference.train},
                     {"validation", reference.validation}};
  write_file(reference_file(run), dump_json(json) + "\n");
}

std::optional<ReferenceLogProbs> load_reference(const fs::path& run, const std::string& data_hash) {
  const fs::path file = reference_file(run);
  if (!fs::exists(file)) return {};
  ReferenceLogProbs reference;
  std::string data;
  try {
    const Json json = load_json(file);
    const std::string where = file.string();
    data = get<std::string>(json, "data", where);
    reference.train = get<std::vector<double>>(json, "train", where);
    reference.validation = get<std::vector<double>>(json, "validation", where);
    if (get<std::string>(json, "hash", where) != hash_of(reference)) return {};
  } catch (const Error&) {
    return {};
  }
  if (data != data_hash) return {};
  return reference;
}

}  // namespace malssi
