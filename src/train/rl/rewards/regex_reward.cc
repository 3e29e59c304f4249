// Apart from the other rules: a regular expression of PCRE2's, and not one that makes a grammar.
#include "base/error.h"
#include "text/regex.h"
#include "train/rl/rewards/rules.h"

namespace malssi {

std::unique_ptr<Reward> regex_reward(std::string_view expression) {
  const auto regex = std::make_shared<const Regex>(expression);
  return std::make_unique<RewardByRule>([regex](const JudgedAnswer& answer) {
    bool found = false;
    try {
      regex->each_match(answer.text, 0, [&](int64_t, int64_t) {
        found = true;
        return false;
      });
    } catch (const Error&) {
      return 0.0;
    }
    return found ? 1.0 : 0.0;
  });
}

}  // namespace malssi
