// What the reference model, the one that training began from, says about each answer: computed once and kept in
// RUN/reference.json, so that the model itself need not stay in memory, nor where it was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace malssi {

struct ReferenceLogProbs {
  std::vector<double> train, validation;  // of each sequence
};

// data_hash: of the preferences that they belong to.
void save_reference(const fs::path& run, const ReferenceLogProbs& reference,
                    const std::string& data_hash);

// Nothing where the file is missing, damaged, or of other preferences.
std::optional<ReferenceLogProbs> load_reference(const fs::path& run, const std::string& data_hash);

}  // namespace malssi
