#include "train/rl/best_of.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/signal.h"
#include "models/value_head.h"
#include "train/rl/answer_judge.h"
#include "train/run/session.h"
#include "train/tune/student.h"

namespace malssi {
namespace {

constexpr int64_t kPromptsAtOnce = 16;

std::string line_of(const RlPrompt& prompt, const std::string& answer, double reward) {
  Json json;
  json["messages"] = Json::array();
  for (const Message& each : prompt.messages)
    json["messages"].push_back({{"role", each.role}, {"content", each.content}});
  json["messages"].push_back({{"role", "assistant"}, {"content", answer}});
  json["reward"] = reward;
  return dump_json(json) + "\n";
}

RolloutOptions rollout_options(const BestOfSettings& settings, const Student& student,
                               int64_t first) {
  return {.samples = settings.samples,
          .temperature = settings.temperature,
          .top_k = settings.top_k,
          .top_p = settings.top_p,
          .max_tokens = settings.max_tokens,
          .ends = student.chat.stop_ids(*student.tokenizer),
          .seed = splitmix64(static_cast<uint64_t>(settings.seed)) ^
                  splitmix64(static_cast<uint64_t>(first) + 1),
          .lanes = settings.lanes,
          .stop_requested = StopSignal::requested};
}

// The best different answers to one prompt, as lines.
class Selection {
 public:
  explicit Selection(const BestOfSettings& settings) : settings_(settings) {}

  // texts and rewards: of its answers; ended: whether each did so by itself.
  std::vector<std::string> choose(const RlPrompt& prompt, std::span<const std::string> texts,
                                  std::span<const double> rewards,
                                  const std::vector<bool>& ended) const {
    std::vector<size_t> order(texts.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return rewards[a] > rewards[b]; });
    std::vector<std::string> lines, seen;
    for (const size_t i : order) {
      if (std::ssize(lines) >= settings_.keep || !(rewards[i] > settings_.above)) break;
      const bool blank = texts[i].find_first_not_of(" \t\r\n") == std::string::npos;
      if (blank || !ended[i] || std::ranges::find(seen, texts[i]) != seen.end()) continue;
      seen.push_back(texts[i]);
      lines.push_back(line_of(prompt, texts[i], rewards[i]));
    }
    return lines;
  }

 private:
  const BestOfSettings& settings_;
};

// Answers some prompts and appends what is worth keeping. False: a stop was asked for.
bool add_answers(const BestOfSettings& settings, const Student& student, const AnswerJudge& judge,
                 std::span<const RlPrompt> prompts, int64_t first, AtomicFile& file,
                 BestOfResult& result) {
  std::vector<const RlPrompt*> asked;
  std::vector<std::vector<int32_t>> ids;
  for (const RlPrompt& each : prompts) {
    asked.push_back(&each);
    ids.push_back(each.ids);
  }
  const auto answers =
      roll_out(*student.model, *student.tokenizer, ids, rollout_options(settings, student, first));
  if (!answers) return false;
  Tally tally;
  const std::vector<double> rewards = judge.judge(asked, *answers, tally);
  const auto size = static_cast<size_t>(settings.samples);
  for (size_t p = 0; p < prompts.size(); ++p) {
    std::vector<std::string> texts;
    std::vector<bool> ended;
    for (size_t i = p * size; i < (p + 1) * size; ++i) {
      texts.push_back(answer_text(*student.tokenizer, (*answers)[i].answer));
      ended.push_back((*answers)[i].ended);
    }
    const auto lines = Selection(settings).choose(
        prompts[p], texts, std::span(rewards).subspan(p * size, size), ended);
    for (const std::string& line : lines) file.write(line);
    result.kept += std::ssize(lines);
    result.solved += lines.empty() ? 0 : 1;
  }
  return true;
}

}  // namespace

void BestOfConfig::check() const {
  REQUIRE(!best_of.model.empty(), "no model to ask: give --model DIR (best_of.model)");
  REQUIRE(!best_of.data.empty(), "no prompts to ask: give --data FILE (best_of.data)");
  REQUIRE(!best_of.out.empty(), "no file for the answers: give --out FILE (best_of.out)");
  reward_weights(reward);
}

BestOfResult run_best_of(const BestOfConfig& config, Console& console) {
  const BestOfSettings& settings = config.best_of;
  const StopSignal stop;
  if (settings.threads > 0) set_thread_count(static_cast<int>(settings.threads));
  TrainSettings train;
  train.compute = settings.compute;
  const Student student = load_student(
      settings.model, {.chat_template = settings.chat_template, .compute = compute_type(train)});
  REQUIRE(!has_value_head(*student.model), settings.model,
          ": is a reward model, which writes no answers: name a language model");
  RlPrompts read = load_rl_prompts(settings.data, {.skip_invalid = settings.skip_invalid});
  if (read.invalid > 0)
    console.warn(concat(settings.data, ": ", read.invalid,
                        " malformed records left out; the first: ", read.first_invalid));
  const int64_t left_out = encode_rl_prompts(read.prompts, *student.tokenizer, student.chat,
                                             student.model->config().context, settings.max_tokens);
  if (left_out > 0)
    console.warn(concat(left_out, " prompts left out: they leave no room for ", settings.max_tokens,
                        " tokens of an answer (best_of.max_tokens)"));
  const AnswerJudge judge(*student.tokenizer,
                          make_rewards(config.reward, settings.max_tokens, compute_type(train),
                                       [&](std::string_view line) { console.warn(line); }),
                          config.reward.answer_after);
  AtomicFile file(settings.out);
  BestOfResult result{.prompts = std::ssize(read.prompts)};
  for (int64_t first = 0; first < result.prompts; first += kPromptsAtOnce) {
    const int64_t count = std::min(kPromptsAtOnce, result.prompts - first);
    const std::span<const RlPrompt> some =
        std::span(read.prompts).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    result.finished = add_answers(settings, student, judge, some, first, file, result);
    if (!result.finished) break;
    console.progress({.done = first + count,
                      .total = result.prompts,
                      .text = concat(result.kept, " answers kept")});
  }
  console.end_progress();
  if (result.finished) file.commit();
  return result;
}

}  // namespace malssi
