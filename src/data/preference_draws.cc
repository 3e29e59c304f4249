#include "data/preference_draws.h"

#include "base/error.h"
#include "base/hash.h"
#include "data/mixture.h"

namespace malssi {
namespace {

std::vector<double> weights_of(const PreferenceSet& set) {
  std::vector<double> weights;
  for (int64_t i = 0; i < set.size(); ++i) weights.push_back(set.at(i).weight);
  return mixing_weights(std::move(weights));
}

}  // namespace

PreferenceDraws::PreferenceDraws(const PreferenceSet& set, uint64_t seed)
    : seed_(seed),
      size_(set.size()),
      hash_(hash_text(set.hash())),
      draws_(set.size(), weights_of(set), seed) {}

Json PreferenceDraws::state() const {
  return {{"preferences", size_}, {"hash", hash_}, {"seed", seed_}, {"drawn", draws_.drawn()}};
}

void PreferenceDraws::restore(const Json& state) {
  const std::string where = "data position";
  const Json here = this->state();
  for (const std::string key : {"preferences", "hash", "seed"}) {
    const Json then = get<Json>(state, key, where);
    REQUIRE(then == here[key], where, ": \"", key, "\" was ", dump_json(then), " and is ",
            dump_json(here[key]), ": continue with the same data and options");
  }
  const auto drawn = get<int64_t>(state, "drawn", where);
  REQUIRE(drawn >= 0, where, ": ", drawn, " preferences drawn: damaged");
  draws_.restore(drawn);
}

WholeSequences whole_sequences(const PreferenceSet& set, std::span<const int64_t> sequences) {
  WholeSequences whole;
  for (const int64_t each : sequences) {
    const std::span<const int32_t> ids = set.sequence(each).ids;
    whole.starts.push_back(static_cast<int32_t>(whole.ids.size()));
    whole.ids.insert(whole.ids.end(), ids.begin(), ids.end());
  }
  whole.starts.push_back(static_cast<int32_t>(whole.ids.size()));
  return whole;
}

std::vector<std::vector<int64_t>> token_pieces(const PreferenceSet& set,
                                               const std::vector<int64_t>& groups, int64_t tokens) {
  std::vector<std::vector<int64_t>> pieces;
  int64_t room = 0;
  for (const int64_t number : groups) {
    const PreferenceSet::Group& group = set.at(number);
    int64_t size = 0;
    for (int64_t i = 0; i < group.count; ++i)
      size += static_cast<int64_t>(set.sequence(group.first + i).ids.size());
    if (pieces.empty() || size > room) {
      pieces.emplace_back();
      room = tokens;
    }
    pieces.back().push_back(number);
    room -= size;
  }
  return pieces;
}

}  // namespace malssi
