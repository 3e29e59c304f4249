// Generation on a Predictor: one answer as a stream, many at once, or the best by beam search.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "infer/beam_search.h"
#include "infer/engine.h"
#include "infer/predictor.h"
#include "infer/reply.h"
#include "text/tokenizer.h"

namespace malssi {

// The ids of a prompt's text, with what the tokenizer itself puts before it; an empty text begins
// with the tokenizer's begin-of-text token. Error: text that is not UTF-8 (says where), or an empty
// prompt where there is no such token.
std::vector<int32_t> encode_prompt(const Tokenizer& tokenizer, std::string_view text,
                                   EncodeOptions options = {.add_special = true});
// Throws Error unless the text is UTF-8; `what` names it.
void check_utf8(std::string_view text, std::string_view what);

struct GenerateHooks {
  std::function<void(std::string_view)> on_text = {};  // whole characters, as they are decided
  std::function<bool()> cancelled = {};                // asked before every pass of the model
};

// Answers one prompt after another. What a prompt shares with the tokens of the one before is not computed again, so a
// conversation costs its new turn only.
class Generator {
 public:
  // All must outlive this; nothing else may use the predictor. drafter: for speculative decoding,
  // or none; draft_tokens: at most in a pass.
  Generator(Predictor& predictor, const Tokenizer& tokenizer,
            std::shared_ptr<Drafter> drafter = nullptr, int64_t draft_tokens = 8)
      : engine_(predictor, tokenizer), drafter_(std::move(drafter)), draft_tokens_(draft_tokens) {}

  Generation run(std::span<const int32_t> prompt, const GenerateOptions& options,
                 const GenerateHooks& hooks = {});
  // Prompt tokens of the last run that did not have to be computed.
  int64_t reused() const { return reused_; }
  const EngineStatistics& statistics() const { return engine_.statistics(); }

 private:
  Engine engine_;
  std::shared_ptr<Drafter> drafter_;
  int64_t draft_tokens_;
  int64_t reused_ = 0;
};

struct BatchHooks {
  // Its answer is over.
  std::function<void(int64_t prompt, const Generation&)> on_done = {};
  std::function<bool()> cancelled = {};  // asked before every pass; ends all answers
};

// Answers all prompts, as many at a time as there are slots: an answer that ends makes room for the
// next prompt at once, and new prompts are read beside running answers. Prompt i draws with seed +
// i. The answers are those of one at a time. adapters: of each prompt, in place of the options'; empty: those for all.
std::vector<Generation> generate_batch(Predictor& predictor, const Tokenizer& tokenizer,
                                       std::span<const std::vector<int32_t>> prompts,
                                       const GenerateOptions& options, const BatchHooks& hooks = {},
                                       std::span<const AdapterMix> adapters = {});

struct BeamGeneration {
  Generation generation;
  double logprob = 0;  // of the whole answer
  double score = 0;    // logprob / length^length_penalty
};

// Beam search as text, best first: options' sampling is ignored except for the repetition penalty,
// beams' max_tokens and ends are set from options.
std::vector<BeamGeneration> generate_beams(Predictor& predictor, const Tokenizer& tokenizer,
                                           std::span<const int32_t> prompt,
                                           const GenerateOptions& options, BeamOptions beams,
                                           const std::function<bool()>& cancelled = {});

}  // namespace malssi
