// Engine: many requests at once on one Predictor by continuous batching (Yu et al. 2022): every pass takes the next token of
// each running answer and fills up with prompt tokens, so weights are read once for all, an answer that ends makes room at
// once, and a long prompt holds nobody up. What a new prompt shares with a sequence already in a slot is not computed again,
// but only among requests of one owner with the same adapters. One thread calls it; a model's rows do not depend on what is
// computed beside them, so an answer does not either.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "infer/draft.h"
#include "infer/predictor.h"
#include "infer/reply.h"
#include "text/tokenizer.h"

namespace malssi {

struct EngineRequest {
  std::vector<int32_t> prompt;
  GenerateOptions options = {};
  std::string owner = {};                      // whose it is: an API key, say
  std::shared_ptr<Drafter> drafter = nullptr;  // of this request alone; none: one token a pass
  int64_t draft_tokens = 8;  // at most in a pass; fewer where drafts turn out wrong
  std::function<void(const GeneratedToken&)> on_token = {};  // each, before the text it completes
  std::function<void(std::string_view)> on_text = {};  // whole characters, as they are decided
  std::function<void(Generation)> on_done = {};
  // In place of on_done: this answer alone cannot go on (its grammar, say), or the model failed. Without it pass() throws.
  std::function<void(std::exception_ptr)> on_error = {};
  std::function<bool()> cancelled = {};  // asked before every pass
};

struct EngineOptions {
  int64_t pass_tokens = 256;  // of prompts and answers in one pass
};

// What there was to do so far.
struct EngineStatistics {
  int64_t passes = 0;
  int64_t prompt_tokens = 0, reused_tokens = 0;  // computed, and shared
  int64_t answer_tokens = 0;
  int64_t drafted_tokens = 0, accepted_tokens = 0;
  // Passes that read (some of) a prompt; those that only wrote, and the tokens these wrote.
  double reading_seconds = 0, writing_seconds = 0;
  int64_t written_tokens = 0;
  GrammarTimes grammar = {};  // of answers that are over
  double tokens_per_second() const {
    return writing_seconds > 0 ? static_cast<double>(written_tokens) / writing_seconds : 0;
  }
};

class Engine {
 public:
  // Both must outlive this; nothing else may use the predictor's slots.
  Engine(Predictor& predictor, const Tokenizer& tokenizer, const EngineOptions& options = {});
  ~Engine();

  // Queues it; it starts as soon as there is a slot. Error: a prompt that is empty or too long, or options out of range.
  void submit(EngineRequest request);
  // One pass. False: there was nothing to do. An Error (of the model) leaves no request running and no sequence held; it is
  // thrown after each that ran was told by its on_error.
  bool pass();
  void run() {
    while (pass()) {
    }
  }

  int64_t waiting() const { return static_cast<int64_t>(queue_.size()); }
  int64_t running() const;
  const EngineStatistics& statistics() const { return statistics_; }

 private:
  struct Lane;

  bool compute();  // false: there is nothing to
  void admit();
  void drop_cancelled();
  Lane& choose_lane(const EngineRequest& request);
  void start(EngineRequest request);
  void plan(std::vector<Predictor::Piece>& pieces);
  // Takes the logits of one piece; returns the rows it had.
  int64_t take(Lane& lane, const Predictor::Piece& piece, std::span<const float> logits);
  void show_text(Lane& lane);
  void finish(Lane& lane);
  void fail(Lane& lane, std::exception_ptr error);  // throws it where nobody wants to be told
  void abandon(std::exception_ptr error);           // all lanes

  Predictor& predictor_;
  const Tokenizer& tokenizer_;
  EngineOptions options_;
  std::deque<EngineRequest> queue_;
  std::vector<Lane> lanes_;  // one for each slot
  EngineStatistics statistics_;
  int64_t clock_ = 0;
};

}  // namespace malssi
