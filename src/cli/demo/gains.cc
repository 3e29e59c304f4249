#include "cli/demo/gains.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"

namespace malssi::demo {
namespace {

constexpr std::string_view kLessons[] = {"reward model", "DPO",           "PPO",
                                         "GRPO",         "GRPO, puzzles", "LoRA"};

fs::path file_of(const fs::path& folder, std::string_view lesson) {
  return folder / "gains" / concat(lesson, ".json");
}

Gain load_gain(const fs::path& file) {
  const std::string where = file.string();
  const Json json = load_json(file);
  return {.lesson = get<std::string>(json, "lesson", where),
          .measure = get<std::string>(json, "measure", where),
          .before = get<double>(json, "before", where),
          .after = get<double>(json, "after", where),
          .promise = get<std::string>(json, "promise", where),
          .reached = get<double>(json, "reached", where),
          .goal = get<double>(json, "goal", where),
          .note = get<std::string>(json, "note", where)};
}

}  // namespace

void save_gain(const fs::path& folder, const Gain& gain) {
  const fs::path file = file_of(folder, gain.lesson);
  fs::create_directories(file.parent_path());
  write_file(file, dump_json({{"lesson", gain.lesson},
                              {"measure", gain.measure},
                              {"before", gain.before},
                              {"after", gain.after},
                              {"promise", gain.promise},
                              {"reached", gain.reached},
                              {"goal", gain.goal},
                              {"note", gain.note}},
                             1));
}

std::vector<Gain> load_gains(const fs::path& folder) {
  std::vector<Gain> gains;
  for (const std::string_view lesson : kLessons) {
    const fs::path file = file_of(folder, lesson);
    if (fs::exists(file)) gains.push_back(load_gain(file));
  }
  return gains;
}

std::string describe(const Gain& gain) {
  std::string line =
      concat(gain.measure, ": ", percent(gain.before), " before, ", percent(gain.after), " after");
  if (gain.promise != gain.measure) line += concat("; ", gain.promise, ": ", percent(gain.reached));
  if (!gain.note.empty()) line += concat(" (", gain.note, ")");
  return line;
}

std::string miss(const Gain& gain) {
  return concat(gain.lesson, ", ", gain.promise, ": ", percent(gain.reached), "; ",
                percent(gain.goal), " are promised");
}

double share_right(std::span<const Reply> replies) {
  CHECK(!replies.empty(), "demo: a share of no replies");
  const auto right =
      std::count_if(replies.begin(), replies.end(), [](const Reply& reply) { return reply.right; });
  return static_cast<double>(right) / static_cast<double>(replies.size());
}

double Duels::share() const {
  const int64_t all = won + lost + tied;
  return (static_cast<double>(won) + 0.5 * static_cast<double>(tied)) / static_cast<double>(all);
}

Duels duel(std::span<const Reply> challenger, std::span<const Reply> other) {
  CHECK(!other.empty() && challenger.size() == other.size(), "demo: a duel over other questions");
  Duels duels;
  for (size_t i = 0; i < other.size(); ++i) {
    duels.won += challenger[i].right && !other[i].right;
    duels.lost += !challenger[i].right && other[i].right;
    duels.tied += challenger[i].right == other[i].right;
  }
  return duels;
}

}  // namespace malssi::demo
