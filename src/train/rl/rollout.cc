#include "train/rl/rollout.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "infer/filters.h"
#include "infer/logprobs.h"
#include "infer/model_predictor.h"
#include "infer/reply.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kPassTokens = 1024;  // of prompts and answers in one pass

struct Drawn {
  int32_t id = 0;
  double log_prob = 0, entropy = 0;
};

// One token of logits [V], of the first `known` ids. Nothing where the logits are no numbers.
std::optional<Drawn> draw(std::span<const float> logits, int64_t known,
                          const RolloutOptions& options, Rng& rng) {
  float max = logits[0];
  for (const float x : logits) max = std::isnan(x) ? x : std::max(max, x);
  if (!std::isfinite(max)) return {};
  const double temperature = options.temperature > 0 ? options.temperature : 1;
  static thread_local std::vector<double> weights;  // of a vocabulary's size at every token
  weights.resize(logits.size());
  double total = 0, moment = 0, allowed = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double x = (logits[i] - max) / temperature;
    const double weight = x > -700 ? std::exp(x) : 0;
    weights[i] = weight;
    total += weight;
    if (weight > 0) moment += weight * x;
    if (static_cast<int64_t>(i) < known) allowed = total;
  }
  if (std::isnan(total) || !(allowed > 0)) return {};
  Drawn drawn;
  const std::span<const float> usable = logits.first(static_cast<size_t>(known));
  if (options.temperature == 0) {
    drawn.id = argmax(usable);
  } else if (options.top_k > 0 || options.top_p < 1) {
    double left = rng.uniform();
    for (const Candidate& each :
         candidates(usable,
                    {.temperature = temperature, .top_k = options.top_k, .top_p = options.top_p})) {
      if (each.probability > 0) drawn.id = each.id;
      if ((left -= each.probability) < 0) break;
    }
  } else {
    double left = rng.uniform() * allowed;
    for (int64_t i = 0; i < known; ++i) {
      if (weights[static_cast<size_t>(i)] > 0) drawn.id = static_cast<int32_t>(i);
      if ((left -= weights[static_cast<size_t>(i)]) < 0) break;
    }
  }
  drawn.log_prob = (logits[static_cast<size_t>(drawn.id)] - max) / temperature - std::log(total);
  drawn.entropy = std::log(total) - moment / total;
  return drawn;
}

// All answers of one call, in lanes, which are the predictor's slots.
class Sampling {
 public:
  Sampling(Model& model, const Tokenizer& tokenizer, std::span<const std::vector<int32_t>> prompts,
           const RolloutOptions& options)
      : options_(options),
        prompts_(prompts),
        known_(std::min(model.config().vocab, tokenizer.vocab_size())),
        count_(std::ssize(prompts) * options.samples),
        predictor_(model, std::min(options.lanes, std::max<int64_t>(count_, 1)), longest(options)),
        lanes_(static_cast<size_t>(predictor_.slots())),
        reading_(prompts.size(), false) {
    for (int64_t number = 0; number < count_; ++number) {
      waiting_.push_back(number);
      const int64_t prompt = number / options.samples;
      answers_.push_back({.prompt_number = prompt, .prompt = prompts[static_cast<size_t>(prompt)]});
      rngs_.emplace_back(options.seed, static_cast<uint64_t>(number));
    }
    const AdapterMix mix = checked_mix(options.adapters, predictor_.adapters());
    for (int64_t slot = 0; slot < predictor_.slots(); ++slot) predictor_.set_adapters(slot, mix);
  }

  std::optional<std::vector<Rollout>> run() {
    while (true) {
      if (options_.stop_requested && options_.stop_requested()) return {};
      admit();
      const std::vector<Predictor::Piece> pieces = plan();
      if (pieces.empty()) break;
      take(pieces, predictor_.feed(pieces));
    }
    for (Rollout& each : answers_) each.entropy /= static_cast<double>(std::ssize(each.answer));
    return std::move(answers_);
  }

 private:
  struct Lane {
    int64_t answer = -1;  // that grows here; -1: none
    int64_t prompt = -1;  // whose tokens lie in the slot, or are on their way
    int64_t read = 0;     // of them
  };

  int64_t longest(const RolloutOptions& options) const {
    int64_t most = 0;
    for (const auto& prompt : prompts_) most = std::max(most, std::ssize(prompt));
    return most + options.max_tokens;
  }
  const std::vector<int32_t>& ids(const Lane& lane) const {
    return prompts_[static_cast<size_t>(lane.prompt)];
  }
  bool has_read(const Lane& lane) const {
    return lane.prompt >= 0 && lane.read == std::ssize(ids(lane));
  }
  int64_t slot_of(const Lane& lane) const { return &lane - lanes_.data(); }

  // Puts waiting answers into free lanes; those whose prompt is just being read for another wait until it can be shared.
  void admit() {
    auto next = waiting_.begin();
    for (Lane& lane : lanes_) {
      if (lane.answer >= 0) continue;
      const auto can_start = [&](int64_t answer) {
        return !reading_[static_cast<size_t>(answer / options_.samples)];
      };
      next = std::find_if(next, waiting_.end(), can_start);
      if (next == waiting_.end()) return;
      start(lane, *next);
      next = waiting_.erase(next);
    }
  }

  void start(Lane& lane, int64_t answer) {
    const int64_t prompt = answer / options_.samples;
    const auto holds = [&](const Lane& each) { return each.prompt == prompt && has_read(each); };
    const auto holder = holds(lane) ? lanes_.begin() + slot_of(lane)
                                    : std::find_if(lanes_.begin(), lanes_.end(), holds);
    lane.answer = answer;
    if (holder == lanes_.end()) {
      lane.prompt = prompt;
      lane.read = 0;
      reading_[static_cast<size_t>(prompt)] = true;
    } else {
      if (&*holder != &lane) predictor_.copy(slot_of(*holder), slot_of(lane));
      lane = {
          .answer = answer, .prompt = prompt, .read = holder->read - 1};  // whose logits are wanted
    }
    predictor_.truncate(slot_of(lane), lane.read);
  }

  // Answers' next tokens first; prompts share the room that is left.
  std::vector<Predictor::Piece> plan() {
    std::vector<Predictor::Piece> pieces;
    for (const Lane& lane : lanes_) {
      if (lane.answer < 0 || !has_read(lane)) continue;
      const auto& answer = answers_[static_cast<size_t>(lane.answer)].answer;
      pieces.push_back({.slot = slot_of(lane), .ids = std::span(answer).last(1)});
    }
    int64_t room = std::max<int64_t>(1, kPassTokens - std::ssize(pieces));
    for (const Lane& lane : lanes_) {
      if (lane.answer < 0 || has_read(lane) || room == 0) continue;
      const int64_t left = std::ssize(ids(lane)) - lane.read, count = std::min(left, room);
      pieces.push_back({.slot = slot_of(lane),
                        .ids = std::span(ids(lane)).subspan(static_cast<size_t>(lane.read),
                                                            static_cast<size_t>(count)),
                        .logits = count == left ? 1 : 0});
      room -= count;
    }
    return pieces;
  }

  void take(std::span<const Predictor::Piece> pieces, std::span<const float> logits) {
    std::vector<Lane*> drawing;  // one for each row of logits
    for (const Predictor::Piece& piece : pieces) {
      Lane& lane = lanes_[static_cast<size_t>(piece.slot)];
      if (!has_read(lane)) lane.read += std::ssize(piece.ids);
      if (piece.logits == 0) continue;
      reading_[static_cast<size_t>(lane.prompt)] = false;
      drawing.push_back(&lane);
    }
    std::vector<std::optional<Drawn>> drawn(drawing.size());
    parallel_each(std::ssize(drawing), [&](int64_t row) {
      const auto V = static_cast<size_t>(predictor_.vocab()), at = static_cast<size_t>(row);
      drawn[at] = draw(logits.subspan(at * V, V), known_, options_,
                       rngs_[static_cast<size_t>(drawing[at]->answer)]);
    });
    for (size_t row = 0; row < drawing.size(); ++row) {
      REQUIRE(
          drawn[row],
          "the model's logits are not finite numbers: its weights are damaged, or training went "
          "wrong (try a lower learning rate, or train.compute = f32)");
      add(*drawing[row], *drawn[row]);
    }
  }

  void add(Lane& lane, const Drawn& token) {
    Rollout& answer = answers_[static_cast<size_t>(lane.answer)];
    answer.answer.push_back(token.id);
    answer.log_probs.push_back(static_cast<float>(token.log_prob));
    answer.entropy += token.entropy;
    answer.ended = std::ranges::find(options_.ends, token.id) != options_.ends.end();
    const int64_t length = std::ssize(answer.answer);
    if (answer.ended || length >= options_.max_tokens ||
        std::ssize(answer.prompt) + length >= predictor_.capacity())
      lane.answer = -1;  // what the slot holds can still be shared
  }

  const RolloutOptions& options_;
  std::span<const std::vector<int32_t>> prompts_;
  int64_t known_;  // ids that the tokenizer has
  int64_t count_;
  ModelPredictor predictor_;
  std::vector<Lane> lanes_;
  std::vector<bool> reading_;     // each prompt: in some lane, for the first time
  std::vector<int64_t> waiting_;  // answers that have no lane yet
  std::vector<Rollout> answers_;
  std::vector<Rng> rngs_;  // of each answer
};

}  // namespace

std::optional<std::vector<Rollout>> roll_out(Model& model, const Tokenizer& tokenizer,
                                             std::span<const std::vector<int32_t>> prompts,
                                             const RolloutOptions& options) {
  REQUIRE(options.samples >= 1, "rollout: ", options.samples, " answers to a prompt: at least 1");
  REQUIRE(options.max_tokens >= 1, "rollout: answers of ", options.max_tokens,
          " tokens: at least 1");
  REQUIRE(options.lanes >= 1, "rollout: ", options.lanes, " answers at a time: at least 1");
  check_sampling(
      {.temperature = options.temperature, .top_k = options.top_k, .top_p = options.top_p});
  for (const auto& prompt : prompts) check_prompt(prompt, model.config().context);
  const NoTape untaped;
  return Sampling(model, tokenizer, prompts, options).run();
}

}  // namespace malssi
