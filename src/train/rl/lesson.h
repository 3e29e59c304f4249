// A lesson: one rollout with all that an update learns from it. A checkpoint in the middle of one keeps it whole.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "train/rl/policy_loss.h"
#include "train/rl/rollout.h"

namespace malssi {

struct Lesson {
  std::vector<Rollout> answers;
  std::vector<std::vector<float>>
      before;  // log-probabilities of each answer's tokens by the policy that the lesson
               // began with; empty: the update itself is to say
  std::vector<std::vector<float>> reference;    // the same by the reference; empty: there is none
  std::vector<std::vector<double>> advantages;  // of each answer's tokens
  int64_t updates = 0;                          // that have learned from it

  Json to_json() const;
  static Lesson from_json(const Json& json, std::string_view where);  // throws Error
};

}  // namespace malssi
