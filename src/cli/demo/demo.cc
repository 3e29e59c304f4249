#include "cli/demo/demo.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/format.h"
#include "base/lock.h"

namespace malssi::demo {
namespace {

constexpr std::string_view kRecord = "demo.json";
// What the stages make; a new demo in the same folder removes it.
constexpr std::string_view kMade[] = {
    "world",    "tokenizer", "cache", "base",  "tuned", "manners",    "reward", "dpo",        "ppo",
    "thinking", "grpo",      "tales", "voice", "gains", "evaluation", "model",  "report.html"};

Json new_record(const Demo& demo) {
  return {{"settings", demo.settings.to_json()}, {"stages", Json::array()}};
}

void save(const Demo& demo, const Json& record) {
  write_file(demo.folder / kRecord, dump_json(record, 1) + "\n");
}

// The record of what is done. A demo with other settings makes room.
Json open_record(Demo& demo) {
  const fs::path file = demo.folder / kRecord;
  if (!fs::exists(file)) {
    for (const std::string_view name : kMade)
      REQUIRE(!fs::exists(demo.folder / name), demo.folder.string(), " holds ", name,
              " but no demo: choose another folder with --out");
    return new_record(demo);
  }
  const Json record = load_json(file);
  if (get<Json>(record, "settings", file.string()) == new_record(demo).at("settings"))
    return record;
  demo.console.note(concat(demo.folder.string(),
                           " holds a demo with other settings: beginning anew in its place"));
  fs::remove(file);
  for (const std::string_view name : kMade) fs::remove_all(demo.folder / name);
  return new_record(demo);
}

bool is_done(const Json& record, std::string_view stage) {
  const Json& done = record.at("stages");
  return std::any_of(done.begin(), done.end(),
                     [&](const Json& entry) { return entry.at("name") == stage; });
}

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

std::span<const Stage> stages() {
  static const std::vector<Stage> list = {
      {"world", "Make up a world and write about it", make_world},
      {"tokenizer", "Train the tokenizer", make_tokenizer},
      {"base", "Pretrain a model on the texts", pretrain},
      {"tuned", "Tune it to follow instructions", tune},
      {"base_answers", "Question the base model", evaluate_base},
      {"tuned_answers", "Question the tuned model", evaluate_tuned},
      {"manners", "Tune it on answers in all manners", tune_manners},
      {"reward", "Train a reward model on choices", train_reward},
      {"dpo", "Teach it courtesy by the choices (DPO)", align_dpo},
      {"ppo", "Teach it courtesy by the reward model (PPO)", align_ppo},
      {"thinking", "Show it thoughts, most of them guesses", tune_thinking},
      {"grpo", "Let it find out which thoughts help (GRPO)", align_grpo},
      {"tales", "Tune all weights to tell fairy tales", tune_tales},
      {"voice", "Tune an adapter to tell them (LoRA)", tune_voice},
      {"report", "Write the report", write_report},
  };
  return list;
}

std::vector<StageRecord> finished_stages(const Demo& demo) {
  const fs::path file = demo.folder / kRecord;
  const std::string where = file.string();
  std::vector<StageRecord> records;
  for (const Json& entry : get<std::vector<Json>>(load_json(file), "stages", where))
    records.push_back({.name = get<std::string>(entry, "name", where),
                       .title = get<std::string>(entry, "title", where),
                       .summary = get<std::string>(entry, "summary", where),
                       .seconds = get<double>(entry, "seconds", where)});
  return records;
}

bool run_demo(Demo& demo) {
  const FolderLock lock(demo.folder);
  Json record = open_record(demo);
  save(demo, record);
  const int64_t count = std::ssize(stages());
  for (int64_t i = 0; i < count; ++i) {
    const Stage& stage = stages()[static_cast<size_t>(i)];
    const std::string heading = concat("[", i + 1, "/", count, "] ", stage.title);
    if (is_done(record, stage.name)) {
      demo.console.note(heading + ": done before");
      continue;
    }
    demo.console.note(heading);
    const double begin = seconds_now();
    const std::optional<std::string> summary = stage.run(demo);
    if (!summary) return false;
    const double seconds = seconds_now() - begin;
    demo.console.note(concat("      ", *summary, " (", human_seconds(seconds), ")"));
    record["stages"].push_back({{"name", stage.name},
                                {"title", stage.title},
                                {"summary", *summary},
                                {"seconds", seconds}});
    save(demo, record);
  }
  return true;
}

}  // namespace malssi::demo
