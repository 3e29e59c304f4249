// The demo: the whole life of a small model as a list of stages, from made-up text to a model that
// talks. A stage that is done leaves its result in the demo's folder and a line in demo.json;
// started again, the demo goes on behind it.
//   FOLDER/world/          texts, chats and questions (data/world/write.h)
//   FOLDER/tokenizer/      tokenizer.json
//   FOLDER/base/, tuned/   the training runs
//   FOLDER/manners/, reward/, dpo/, ppo/, thinking/, grpo/, tales/, voice/   the runs of the lessons after tuning
//   FOLDER/evaluation/     replies and scores
//   FOLDER/gains/          what each lesson gained (gains.h)
//   FOLDER/model/          what to chat with
//   FOLDER/report.html, demo.json
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/console.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/demo/settings.h"

namespace malssi::demo {

struct Demo {
  fs::path folder;
  Settings settings;
  Console& console;
};

struct Stage {
  std::string_view name;   // in demo.json
  std::string_view title;  // for people
  // Does it; what came out, in a line. Nothing when a stop was asked for: what is there stays.
  std::function<std::optional<std::string>(Demo&)> run;
};
// In their order; a later capability of the program joins here.
std::span<const Stage> stages();

// What a finished stage left in demo.json.
struct StageRecord {
  std::string name, title, summary;
  double seconds = 0;
};
std::vector<StageRecord> finished_stages(const Demo& demo);

// Runs the stages that are not done yet. False: a stop was asked for. Throws Error: the folder
// holds something else, or another demo is writing it.
bool run_demo(Demo& demo);

// The stages' functions, each in the file that does its work.
std::optional<std::string> make_world(Demo& demo);
std::optional<std::string> make_tokenizer(Demo& demo);
std::optional<std::string> pretrain(Demo& demo);
std::optional<std::string> tune(Demo& demo);
std::optional<std::string> evaluate_base(Demo& demo);
std::optional<std::string> evaluate_tuned(Demo& demo);
std::optional<std::string> tune_manners(Demo& demo);
std::optional<std::string> train_reward(Demo& demo);
std::optional<std::string> align_dpo(Demo& demo);
std::optional<std::string> align_ppo(Demo& demo);
std::optional<std::string> tune_thinking(Demo& demo);
std::optional<std::string> align_grpo(Demo& demo);
std::optional<std::string> tune_tales(Demo& demo);
std::optional<std::string> tune_voice(Demo& demo);
std::optional<std::string> write_report(Demo& demo);

}  // namespace malssi::demo
