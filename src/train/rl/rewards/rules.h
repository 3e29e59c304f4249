// Rewards by the form of an answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/json.h"
#include "train/rl/rewards/reward.h"

namespace malssi {

// 1 where the record's "answer" is given (exact.h), else 0.
std::unique_ptr<Reward> exact_reward(std::string marker);
// 1 where the expression is found in the answer, else 0; also where looking takes too many steps. Error: no expression.
std::unique_ptr<Reward> regex_reward(std::string_view expression);
// 1 where the answer is JSON that the schema allows, its members in the schema's order, else 0. Error: as
// json_schema_grammar().
std::unique_ptr<Reward> schema_reward(const Json& schema);
// 1 where the answer is "<think>thoughts</think>" and then something, each mark once, else 0 (Guo et al. 2025).
std::unique_ptr<Reward> think_reward();
// 0 up to longest - margin tokens, then falling to -1 at longest: Yu et al. 2025 (DAPO), equation 13.
std::unique_ptr<Reward> overlong_reward(int64_t longest, int64_t margin);

bool thinks_first(std::string_view text);
double overlong_penalty(int64_t tokens, int64_t longest, int64_t margin);

}  // namespace malssi
