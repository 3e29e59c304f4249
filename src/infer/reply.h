// One answer in the making, whatever computes the logits: chooses tokens, finds its end, and turns
// bytes into text that never splits a character and never shows a stop string.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/logprobs.h"
#include "infer/sampler.h"
#include "infer/stop_strings.h"
#include "nn/low_rank.h"
#include "text/grammar/constraint.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace malssi {

enum class FinishReason {
  stop_token,
  stop_string,
  grammar_complete,  // nothing more may come
  max_tokens,
  context_full,
  cancelled
};
// "stop_token", "stop_string", ...
std::string_view finish_reason_name(FinishReason reason);

struct GenerateOptions {
  SamplingOptions sampling = {};
  int64_t max_tokens = 256;
  std::vector<int32_t> stop_tokens = {};
  std::vector<std::string> stop_strings = {};
  // -1: no log-probabilities; 0: of the chosen tokens; n: also of the n likeliest. They are the
  // model's own, before temperature, penalty and filters.
  int64_t logprobs = -1;
  bool show_special = false;  // print special tokens that are no stop tokens
  // inside: the answer goes on with the prompt's own text, so that a space SentencePiece begins its
  // first word with is part of it. A prompt of special tokens alone has no text to go on with.
  Place place = Place::start;
  // What the answer may be; null: anything. Made for the tokenizer in use. A stop token may come
  // only when the answer is complete.
  std::shared_ptr<const CompiledGrammar> grammar = {};
  // The grammar holds for what comes after this token; before it, and without it, anything may come. -1: from the start.
  int32_t grammar_after = -1;
  AdapterMix adapters = {};  // of the predictor's model
};

// Throws an Error that names the setting, its value and its range.
void check_generate(const GenerateOptions& options);

struct GeneratedToken {
  int32_t id = 0;
  double logprob = 0;
  std::vector<TokenLogprob> top = {};
};

struct Generation {
  std::string text;                    // without stop strings and special tokens; valid UTF-8
  std::vector<GeneratedToken> tokens;  // all that were chosen, a stop token included
  int64_t prompt_tokens = 0;
  int64_t reused_tokens = 0;  // of the prompt, which were computed for another
  FinishReason reason = FinishReason::cancelled;
  std::string stop_string;  // that ended it, if one did
};

// How an answer to the prompt is read as text.
DecodeOptions decoding(const Tokenizer& tokenizer, std::span<const int32_t> prompt,
                       const GenerateOptions& options);

// Throws Error when a prompt is empty, or leaves no room for an answer among capacity tokens.
void check_prompt(std::span<const int32_t> prompt, int64_t capacity);

// What holding to a grammar took.
struct GrammarTimes {
  int64_t tokens = 0;
  double seconds = 0;
  double longest = 0;  // of one token
};

class Reply {
 public:
  // The tokenizer must outlive this. capacity: tokens that prompt and answer may have together.
  Reply(const Tokenizer& tokenizer, std::span<const int32_t> prompt, const GenerateOptions& options,
        int64_t capacity);

  // Takes the logits [V] after everything before; returns the next token to feed, or nothing when
  // the answer is over. Ids that the tokenizer does not have are never chosen.
  std::optional<int32_t> advance(std::span<const float> logits);
  bool is_over() const { return over_; }
  const GeneratedToken& last_token() const { return generation_.tokens.back(); }
  // Text that can be shown and was not taken yet.
  std::string take_text();
  const GrammarTimes& grammar_times() const { return grammar_times_; }
  // Ends it where it stands, if it is not over; then the last text can be taken.
  void cancel() { end(FinishReason::cancelled); }
  // The whole answer; it must be over.
  Generation take() &&;

 private:
  void end(FinishReason reason);
  void add_text(std::string_view bytes);
  int32_t choose(std::span<const float> logits);
  // The same held to the grammar, greedily or by chance.
  int32_t likeliest(std::span<const float> logits);
  int32_t draw(std::span<const float> logits);
  void accept(int32_t id);
  bool stops(int32_t id) const;
  // What a body gives; its time counts as the grammar's.
  template <class Body>
  auto timed(const Body& body);
  bool holds_grammar() const { return grammar_ && grammar_begun_; }

  const Tokenizer& tokenizer_;
  GenerateOptions options_;
  int64_t capacity_;
  Sampler sampler_;
  std::optional<GrammarState> grammar_;
  bool grammar_begun_ = false;
  GrammarTimes grammar_times_;
  std::vector<float> masked_;
  StopStrings stops_;
  DecodeStream decode_;
  Utf8Stream utf8_;
  size_t taken_ = 0;
  bool over_ = false;
  Generation generation_;
};

}  // namespace malssi
