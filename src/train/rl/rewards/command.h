// Rewards by a command: the project's unit tests, or a program that judges. It runs once for each answer in a sandbox
// (sandbox.h), in an empty folder with
//   answer.txt   the answer, also on standard input
//   code.txt     its last ``` block, else the whole answer
//   prompt.txt   the last message of the prompt
//   record.json  the whole record
#pragma once

#include <memory>
#include <string>

#include "train/rl/rewards/reward.h"
#include "train/rl/rewards/sandbox.h"

namespace malssi {

// verdict: status 0 earns 1, another 0. number: the last line of its output is the reward.
enum class CommandSays { verdict, number };

struct CommandOptions {
  std::string name;  // of the reward, for warnings
  std::string command;
  CommandSays says = CommandSays::verdict;
  double failed =
      0;  // what an answer earns where the command hangs, is killed or prints no number; that is warned of
  SandboxLimits limits = {};
  Warn warn = {};
};

std::unique_ptr<Reward> command_reward(const CommandOptions& options);

// The last fenced block of a text, else all of it.
std::string code_of(std::string_view text);

}  // namespace malssi
