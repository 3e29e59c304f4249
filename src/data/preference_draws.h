// Which preferences an optimiser step learns from: all of them once an epoch, or as often as their weights say (epoch_draws.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/epoch_draws.h"
#include "data/preference.h"

namespace malssi {

class PreferenceDraws {
 public:
  // The set must outlive it.
  PreferenceDraws(const PreferenceSet& set, uint64_t seed);

  // Numbers of the next groups.
  std::vector<int64_t> next(int64_t count) { return draws_.next(count); }

  Json state() const;
  // Throws Error when the state is of other data or another seed.
  void restore(const Json& state);

 private:
  uint64_t seed_;
  int64_t size_;
  std::string hash_;
  EpochDraws draws_;
};

// Sequences from their first token to their last, side by side.
struct WholeSequences {
  std::vector<int32_t> ids;     // [N]
  std::vector<int32_t> starts;  // begins of the sequences, then N
};
WholeSequences whole_sequences(const PreferenceSet& set, std::span<const int64_t> sequences);

// Cuts a list of groups into pieces of about so many tokens, in order; a group stays whole.
std::vector<std::vector<int64_t>> token_pieces(const PreferenceSet& set,
                                               const std::vector<int64_t>& groups, int64_t tokens);

}  // namespace malssi
