// How a model behaves, as counts over its answers, and what has become worse from one model to the next (before and after a
// stage of training): what a mean reward does not show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace malssi {

// How often something was seen.
struct Seen {
  int64_t count = 0, of = 0;

  void add(bool seen) { count += seen, ++of; }
  double share() const { return static_cast<double>(count) / static_cast<double>(of); }
};

struct Average {
  double sum = 0, squares = 0;
  int64_t of = 0;

  void add(double value) { sum += value, squares += value * value, ++of; }
  double mean() const { return sum / static_cast<double>(of); }
  double variance_of_mean() const;  // 0 of fewer than two
};

struct Behaviour {
  Seen refusals, empty, unfinished, loops, switches;  // see text/answer_traits.h
  Seen right;                                         // where the right answers are known
  Average words, distinct, reward;
  std::optional<double> divergence = {};  // KL from the model before, nats a token of its answers

  // ended: by itself; none: not known.
  void add(std::string_view prompt, std::string_view answer, std::optional<bool> ended = {});
};

// One line of a table: what was counted for both, "-" where it is not known.
struct BehaviourRow {
  std::string name, before, after;
};
std::vector<BehaviourRow> behaviour_rows(const Behaviour& before, const Behaviour& after);
Json to_json(const Behaviour& behaviour);

// What has become worse by more than chance (1.96 standard errors) and by an amount that matters, a line for each. The answers
// are to the same prompts, but count as independent, which finds less rather than more. limit: of the divergence, in nats
// a token.
std::vector<std::string> behaviour_findings(const Behaviour& before, const Behaviour& after,
                                            double limit = 1);

}  // namespace malssi
