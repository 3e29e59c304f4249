// What each lesson after tuning gained: a share of questions answered as wished, before and after, and what is promised of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/demo/evaluation.h"

namespace malssi::demo {

struct Gain {
  std::string lesson;   // "DPO"
  std::string measure;  // what the shares are of: "right and polite answers"
  double before = 0, after = 0;
  std::string promise;           // what reached and goal are of: "duels won"
  double reached = 0, goal = 0;  // shares
  std::string note = {};         // "12 of 200 duels tied, 1.9 nats of KL"

  bool is_kept() const { return reached >= goal; }
};

// FOLDER/gains/LESSON.json, whole or not at all.
void save_gain(const fs::path& folder, const Gain& gain);
// Those of finished lessons, in the demo's order.
std::vector<Gain> load_gains(const fs::path& folder);

// "right and polite answers 3.0% -> 95.0%; duels won: 96.0% (..)"
std::string describe(const Gain& gain);

// What a gain that misses its goal lacks, in a sentence.
std::string miss(const Gain& gain);

double share_right(std::span<const Reply> replies);

// Two models' replies to the same questions: one wins where it alone is right.
struct Duels {
  int64_t won = 0, lost = 0, tied = 0;
  double share() const;  // of duels won, ties counted as halves
};
Duels duel(std::span<const Reply> challenger, std::span<const Reply> other);

}  // namespace malssi::demo
