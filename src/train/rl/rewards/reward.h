// A reward: a number for an answer, by a rule that anyone can check, by a program, or by a model. The larger the better; most
// lie between 0 and 1.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/rl/prompts.h"

namespace malssi {

struct JudgedAnswer {
  const RlPrompt& prompt;
  std::string text;
  int64_t tokens = 0;  // of the answer
  bool ended = true;   // by itself
};

class Reward {
 public:
  virtual ~Reward() = default;
  // One for each answer. Throws Error where a record lacks what the reward needs.
  virtual std::vector<double> scores(std::span<const JudgedAnswer> answers) = 0;
};

// One that looks at one answer at a time.
class RewardByRule : public Reward {
 public:
  using Rule = std::function<double(const JudgedAnswer&)>;
  explicit RewardByRule(Rule rule) : rule_(std::move(rule)) {}
  std::vector<double> scores(std::span<const JudgedAnswer> answers) override {
    std::vector<double> all;
    for (const JudgedAnswer& each : answers) all.push_back(rule_(each));
    return all;
  }

 private:
  Rule rule_;
};

// Told to people; a reward that cannot be had is no error.
using Warn = std::function<void(std::string_view)>;

}  // namespace malssi
