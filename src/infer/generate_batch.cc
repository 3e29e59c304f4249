// generate_batch: continuous batching. Every pass takes one token of each running answer and fills
// up with prompt tokens to a fixed size, so that products keep few shapes and weights are read once
// for all of them.
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "infer/generate.h"

namespace malssi {

namespace {

constexpr int64_t kPassTokens = 256;

class Batch {
 public:
  Batch(Predictor& predictor, const Tokenizer& tokenizer,
        std::span<const std::vector<int32_t>> prompts, const GenerateOptions& options,
        const BatchHooks& hooks)
      : predictor_(predictor),
        tokenizer_(tokenizer),
        prompts_(prompts),
        options_(options),
        hooks_(hooks),
        lanes_(
            static_cast<size_t>(std::min(predictor.slots(), static_cast<int64_t>(prompts.size())))),
        answers_(prompts.size()) {}

  std::vector<Generation> run() {
    while (fill_lanes()) {
      if (hooks_.cancelled && hooks_.cancelled()) {
        cancel();
        break;
      }
      pass();
    }
    return std::move(answers_);
  }

 private:
  // A slot and the answer being made in it.
  struct Lane {
    std::unique_ptr<Reply> reply;       // none: the slot is free
    int64_t prompt = 0;                 // its number
    std::span<const int32_t> unread{};  // of the prompt
    int32_t next = 0;                   // to feed, once the prompt is read
  };

  // Gives free slots the next prompts; false when nothing is left to do.
  bool fill_lanes() {
    bool busy = false;
    for (size_t slot = 0; slot < lanes_.size(); ++slot) {
      Lane& lane = lanes_[slot];
      if (!lane.reply && started_ < static_cast<int64_t>(prompts_.size())) {
        lane.prompt = started_++;
        lane.unread = prompts_[static_cast<size_t>(lane.prompt)];
        GenerateOptions options = options_;
        options.sampling.seed += static_cast<uint64_t>(lane.prompt);
        lane.reply =
            std::make_unique<Reply>(tokenizer_, lane.unread, options, predictor_.capacity());
        predictor_.truncate(static_cast<int64_t>(slot), 0);
      }
      busy |= lane.reply != nullptr;
    }
    return busy;
  }

  void pass() {
    std::vector<Predictor::Piece> pieces;
    std::vector<Lane*> ready;  // lanes whose logits this pass gives, in order
    int64_t room = kPassTokens;
    for (const bool reading : {false, true}) {  // running answers first
      for (size_t slot = 0; slot < lanes_.size(); ++slot) {
        Lane& lane = lanes_[slot];
        if (!lane.reply || lane.unread.empty() == reading) continue;
        if (reading && room <= 0) break;
        std::span<const int32_t> ids{&lane.next, 1};
        if (reading) {
          ids = lane.unread.first(std::min(lane.unread.size(), static_cast<size_t>(room)));
        }
        const bool last = !reading || ids.size() == lane.unread.size();
        pieces.push_back({.slot = static_cast<int64_t>(slot), .ids = ids, .wants_logits = last});
        if (last) ready.push_back(&lane);
        room -= static_cast<int64_t>(ids.size());
      }
    }
    const std::span<const float> logits = predictor_.feed(pieces);
    for (const Predictor::Piece& piece : pieces) {
      Lane& lane = lanes_[static_cast<size_t>(piece.slot)];
      if (!lane.unread.empty()) lane.unread = lane.unread.subspan(piece.ids.size());
    }
    const auto vocab = static_cast<size_t>(predictor_.vocab());
    for (size_t row = 0; row < ready.size(); ++row)
      advance(*ready[row], logits.subspan(row * vocab, vocab));
  }

  void advance(Lane& lane, std::span<const float> logits) {
    const std::optional<int32_t> next = lane.reply->advance(logits);
    if (next)
      lane.next = *next;
    else
      finish(lane);
  }

  void finish(Lane& lane) {
    answers_[static_cast<size_t>(lane.prompt)] = std::move(*lane.reply).take();
    lane.reply.reset();
    if (hooks_.on_done) hooks_.on_done(lane.prompt);
  }

  void cancel() {
    for (Lane& lane : lanes_) {
      if (!lane.reply) continue;
      lane.reply->cancel();
      finish(lane);
    }
  }

  Predictor& predictor_;
  const Tokenizer& tokenizer_;
  std::span<const std::vector<int32_t>> prompts_;
  const GenerateOptions& options_;
  const BatchHooks& hooks_;
  std::vector<Lane> lanes_;
  std::vector<Generation> answers_;
  int64_t started_ = 0;
};

}  // namespace

std::vector<Generation> generate_batch(Predictor& predictor, const Tokenizer& tokenizer,
                                       std::span<const std::vector<int32_t>> prompts,
                                       const GenerateOptions& options, const BatchHooks& hooks) {
  check_generate(options);
  for (const auto& prompt : prompts) check_prompt(prompt, predictor.capacity());
  return Batch(predictor, tokenizer, prompts, options, hooks).run();
}

}  // namespace malssi
