#include "train/rl/rewards/make_rewards.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "train/rl/rewards/command.h"
#include "train/rl/rewards/reward_model.h"
#include "train/rl/rewards/rules.h"

namespace malssi {
namespace {

constexpr std::string_view kNames[] = {"exact",  "regex", "schema", "think",
                                       "length", "tests", "judge",  "model"};

double weight_of(std::string_view text, std::string_view entry) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  REQUIRE(error == std::errc() && end == text.data() + text.size() && std::isfinite(weight),
          "reward.use: \"", entry, "\": the weight is not a number, expected NAME or NAME=WEIGHT");
  return weight;
}

// A flag gives "exact,think=0.2" as one item of the list.
std::vector<std::string> entries(const std::vector<std::string>& items) {
  std::vector<std::string> all;
  for (const std::string& item : items)
    for (size_t begin = 0, end = 0; begin <= item.size(); begin = end + 1) {
      end = std::min(item.find(',', begin), item.size());
      all.push_back(item.substr(begin, end - begin));
    }
  return all;
}

void require(const std::string& value, std::string_view reward, std::string_view key) {
  REQUIRE(!value.empty(), "the reward \"", reward, "\" needs reward.", key, ": give --", key);
}

std::unique_ptr<Reward> by_command(const RewardSettings& settings, const std::string& name,
                                   const Warn& warn) {
  const bool tests = name == "tests";
  const std::string& command = tests ? settings.test_command : settings.judge_command;
  require(command, name, tests ? "test-command" : "judge-command");
  if (!sandbox_isolates() && warn)
    warn(concat("reward ", name,
                ": this system permits no namespaces, so that its command can reach the network "
                "and write outside its folder: give it answers that you trust"));
  return command_reward({.name = name,
                         .command = command,
                         .says = tests ? CommandSays::verdict : CommandSays::number,
                         .failed = settings.failed,
                         .limits = {.seconds = settings.command_seconds,
                                    .memory_bytes = settings.command_memory << 20},
                         .warn = warn});
}

std::unique_ptr<Reward> make_reward(const RewardSettings& settings, const std::string& name,
                                    int64_t longest, DType compute, const Warn& warn) {
  if (name == "exact") return exact_reward(settings.answer_after);
  if (name == "think") return think_reward();
  if (name == "tests" || name == "judge") return by_command(settings, name, warn);
  if (name == "length") {
    const int64_t margin = settings.length_margin > 0 ? settings.length_margin : longest / 4;
    return overlong_reward(longest, std::max<int64_t>(margin, 1));
  }
  if (name == "regex") {
    require(settings.pattern, name, "pattern");
    return regex_reward(settings.pattern);
  }
  if (name == "schema") {
    require(settings.schema, name, "schema");
    return schema_reward(load_json(settings.schema));
  }
  require(settings.reward_model, name, "reward-model");
  return std::make_unique<RewardModel>(
      settings.reward_model, RewardModelOptions{.compute = compute, .too_long = settings.failed});
}

}  // namespace

std::vector<std::pair<std::string, double>> reward_weights(const RewardSettings& settings) {
  std::vector<std::pair<std::string, double>> all;
  for (const std::string& entry : entries(settings.use)) {
    const size_t at = entry.find('=');
    const std::string name = entry.substr(0, at);
    std::string known;
    for (const std::string_view each : kNames) known += concat(known.empty() ? "" : ", ", each);
    REQUIRE(std::ranges::find(kNames, name) != std::end(kNames), "reward.use: \"", name,
            "\" is no reward; there are: ", known);
    REQUIRE(std::ranges::none_of(all, [&](const auto& each) { return each.first == name; }),
            "reward.use: \"", name, "\" stands there twice: give it one weight");
    all.emplace_back(name, at == entry.npos ? 1 : weight_of(entry.substr(at + 1), entry));
  }
  return all;
}

std::vector<NamedReward> make_rewards(const RewardSettings& settings, int64_t longest,
                                      DType compute, const Warn& warn) {
  std::vector<NamedReward> all;
  for (const auto& [name, weight] : reward_weights(settings))
    all.push_back({.name = name,
                   .weight = weight,
                   .reward = make_reward(settings, name, longest, compute, warn)});
  return all;
}

}  // namespace malssi
