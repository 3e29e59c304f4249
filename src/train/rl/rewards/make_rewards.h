// The rewards of a run, by their names in its config.
//   exact    the record's "answer" is given                       reward.answer_after
//   regex    an expression is found                               reward.pattern
//   schema   JSON as a schema wants it                            reward.schema
//   think    "<think>..</think>", then an answer
//   length   0, falling to -1 near the longest answer             reward.length_margin
//   tests    a command ends with status 0                         reward.test_command
//   judge    a command prints a number                            reward.judge_command
//   model    a reward model                                       reward.reward_model
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "kernels/dtype.h"
#include "train/rl/rewards/reward.h"

namespace malssi {

// [reward]
struct RewardSettings {
  std::vector<std::string> use = {"exact"};
  std::string answer_after = "";
  std::string pattern = "";
  std::string schema = "";
  int64_t length_margin = 0;
  std::string test_command = "";
  std::string judge_command = "";
  double command_seconds = 10;
  int64_t command_memory = 2048;
  double failed = 0;
  std::string reward_model = "";

  template <class V>
  void visit(V& v) {
    v("use", use,
      "rewards, each NAME or NAME=WEIGHT: exact, regex, schema, think, length, tests, judge, model",
      not_empty());
    v("answer_after", answer_after,
      "exact: what stands before the result, \"####\" or \"\\boxed{\"; empty = the last number");
    v("pattern", pattern, "regex: the expression to be found in an answer");
    v("schema", schema, "schema: the file of a JSON schema");
    v("length_margin", length_margin,
      "length: how many tokens before rl.max_tokens the reward begins to fall; 0 = a quarter",
      at_least(0));
    v("test_command", test_command,
      "tests: a shell command that ends with 0 where an answer (answer.txt, its code: code.txt) is "
      "right");
    v("judge_command", judge_command,
      "judge: a shell command that reads an answer and prints its reward");
    v("command_seconds", command_seconds, "tests, judge: the time that a command may take",
      above(0));
    v("command_memory", command_memory, "tests, judge: MiB that each of its processes may have",
      at_least(16));
    v("failed", failed, "tests, judge: the reward where a command hangs, crashes or says nothing");
    v("reward_model", reward_model, "model: a reward model, as malssi align reward makes them");
  }
};

struct NamedReward {
  std::string name;
  double weight = 1;
  std::unique_ptr<Reward> reward;
};

// longest: tokens of an answer. Throws Error: an unknown name, a weight that is no number, a setting that a reward lacks.
std::vector<NamedReward> make_rewards(const RewardSettings& settings, int64_t longest,
                                      DType compute, const Warn& warn);

// Without making them: their names and weights. Throws Error as above.
std::vector<std::pair<std::string, double>> reward_weights(const RewardSettings& settings);

}  // namespace malssi
