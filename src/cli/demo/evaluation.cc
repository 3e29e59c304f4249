#include "cli/demo/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/signal.h"
#include "eval/exact.h"
#include "io/adapter_file.h"
#include "io/model_folder.h"
#include "models/model.h"

namespace malssi::demo {
namespace {

constexpr std::string_view kFacts = "facts", kPlain = "additions", kSteps = "additions in steps";
constexpr std::pair<std::string_view, double> kGoals[] = {{kFacts, 0.90}, {kSteps, 0.85}};
constexpr double kBaseMost = 0.05;

}  // namespace

std::string percent(double share) { return concat(std::floor(share * 1000) / 10, "%"); }

std::optional<std::vector<Reply>> ask_all(const Asked& asked,
                                          std::span<const world::Question> questions,
                                          int64_t answer_tokens, Console& console) {
  const StopSignal stop;
  const LoadedModel loaded = load_model(asked.model, best_compute_dtype());
  AdapterMix adapters;
  if (!asked.adapter.empty())
    adapters.push_back({.adapter = attach_adapter(*loaded.model, asked.adapter)});
  const ChatTemplate chat = loaded.chat.value_or(ChatTemplate());
  std::vector<std::vector<Message>> conversations;
  for (const world::Question& question : questions) conversations.push_back(question.messages);
  const AnswerOptions options{
      .max_tokens = answer_tokens,
      .slots = 64,
      .adapters = adapters,
      .on_progress =
          [&](int64_t answered) {
            console.progress(
                {.done = answered, .total = std::ssize(questions), .text = "questions answered"});
          },
      .cancelled = [] { return StopSignal::requested(); }};
  const std::vector<std::string> texts =
      answer_all(*loaded.model, *loaded.tokenizer, chat, conversations, options);
  console.end_progress();
  if (StopSignal::requested()) return std::nullopt;
  std::vector<Reply> replies;
  for (size_t i = 0; i < texts.size(); ++i)
    replies.push_back({.text = texts[i], .right = world::is_right(questions[i], texts[i])});
  return replies;
}

std::vector<Score> scores(std::span<const world::Question> questions,
                          std::span<const Reply> replies) {
  CHECK(questions.size() == replies.size(), "demo: replies do not fit the questions");
  std::vector<Score> all;
  for (size_t i = 0; i < questions.size(); ++i) {
    const world::Question& question = questions[i];
    auto score = std::find_if(all.begin(), all.end(), [&](const Score& known) {
      return known.set == question.set && known.language == question.language;
    });
    if (score == all.end())
      score = all.insert(all.end(), {.set = question.set, .language = question.language});
    score->asked += 1;
    score->right += replies[i].right;
  }
  return all;
}

double share_of(std::span<const Score> scores, std::string_view set,
                std::optional<world::Language> language) {
  int64_t right = 0, asked = 0;
  for (const Score& score : scores) {
    if (score.set != set || (language && score.language != *language)) continue;
    right += score.right;
    asked += score.asked;
  }
  if (asked == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(right) / static_cast<double>(asked);
}

double goal_of(std::string_view set) {
  for (const auto& [name, share] : kGoals)
    if (name == set) return share;
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<std::string> broken_promises(std::span<const Score> base,
                                         std::span<const Score> tuned) {
  std::vector<std::string> broken;
  const auto expect = [&](bool holds, const std::string& sentence) {
    if (!holds) broken.push_back(sentence);
  };
  for (const Score& score : tuned) {
    const double goal = goal_of(score.set);
    if (std::isnan(goal)) continue;
    const std::string set = concat(score.set, ", ", world::language_code(score.language));
    expect(score.share() >= goal, concat("the tuned model is right in ", percent(score.share()),
                                         " of ", set, "; ", percent(goal), " are promised"));
    const double before = share_of(base, score.set, score.language);
    expect(before <= kBaseMost, concat("the base model is right in ", percent(before), " of ", set,
                                       " without having been tuned"));
  }
  const double steps = share_of(tuned, kSteps), plain = share_of(tuned, kPlain);
  expect(steps > plain, concat("of additions, ", percent(steps), " are right in steps and ",
                               percent(plain), " at once"));
  return broken;
}

void save_replies(const fs::path& file, std::span<const world::Question> questions,
                  std::span<const Reply> replies) {
  Json table = Json::array(), list = Json::array();
  for (const Score& score : scores(questions, replies))
    table.push_back({{"set", score.set},
                     {"language", world::language_code(score.language)},
                     {"right", score.right},
                     {"asked", score.asked}});
  for (size_t i = 0; i < replies.size(); ++i)
    list.push_back({{"question", questions[i].messages.back().content},
                    {"reply", replies[i].text},
                    {"right", replies[i].right}});
  fs::create_directories(file.parent_path());
  write_file(file, dump_json({{"scores", std::move(table)}, {"replies", std::move(list)}}, 1));
}

std::vector<Reply> load_replies(const fs::path& file) {
  const std::string where = file.string();
  std::vector<Reply> replies;
  for (const Json& entry : get<std::vector<Json>>(load_json(file), "replies", where))
    replies.push_back({.text = get<std::string>(entry, "reply", where),
                       .right = get<bool>(entry, "right", where)});
  return replies;
}

}  // namespace malssi::demo
