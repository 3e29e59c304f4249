#include "infer/generate.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {

void check_utf8(std::string_view text, std::string_view what) {
  const int64_t valid = valid_utf8_prefix(text);
  REQUIRE(valid == static_cast<int64_t>(text.size()), what, " is not valid UTF-8 at byte ", valid,
          ": convert it to UTF-8 (iconv -t UTF-8)");
}

std::vector<int32_t> encode_prompt(const Tokenizer& tokenizer, std::string_view text,
                                   EncodeOptions options) {
  check_utf8(text, "the prompt");
  std::vector<int32_t> ids = tokenizer.encode(text, options);
  if (ids.empty() && tokenizer.bos_id() >= 0) ids.push_back(tokenizer.bos_id());
  REQUIRE(!ids.empty(),
          "the prompt is empty, and this model has no token that begins a text: give "
          "it some text to go on from");
  return ids;
}

Generation Generator::run(std::span<const int32_t> prompt, const GenerateOptions& options,
                          const GenerateHooks& hooks) {
  Reply reply(tokenizer_, prompt, options, predictor_.capacity());
  // If anything below throws, nothing counts as held.
  std::vector<int32_t> held = std::move(held_);
  held_.clear();
  const auto mismatch = std::mismatch(held.begin(), held.end(), prompt.begin(), prompt.end());
  // The last token is always fed: its logits are wanted.
  reused_ =
      std::min<int64_t>(mismatch.first - held.begin(), static_cast<int64_t>(prompt.size()) - 1);
  predictor_.truncate(0, reused_);
  held.assign(prompt.begin(), prompt.end());

  std::span<const float> logits =
      prefill(predictor_, 0, prompt.subspan(static_cast<size_t>(reused_)), hooks.cancelled);
  while (!logits.empty()) {
    const std::optional<int32_t> next = reply.advance(logits);
    if (hooks.on_text)
      if (const std::string text = reply.take_text(); !text.empty()) hooks.on_text(text);
    if (!next || (hooks.cancelled && hooks.cancelled())) break;
    held.push_back(*next);
    const Predictor::Piece piece{.slot = 0, .ids = {&held.back(), 1}};
    logits = predictor_.feed({&piece, 1});
  }
  reply.cancel();
  if (hooks.on_text)
    if (const std::string text = reply.take_text(); !text.empty()) hooks.on_text(text);
  held.resize(std::min(held.size(), static_cast<size_t>(predictor_.length(0))));
  held_ = std::move(held);
  return std::move(reply).take();
}

namespace {

// True when the ids' text contains a stop string that its last token completes.
bool ends_with_stop(const Tokenizer& tokenizer, const std::vector<std::string>& stops,
                    int64_t longest, std::span<const int32_t> ids) {
  std::string tail;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    const bool enough = static_cast<int64_t>(tail.size()) >=
                        longest + static_cast<int64_t>(tokenizer.token_bytes(ids.back()).size());
    if (enough) break;
    if (!tokenizer.is_special(*id)) tail.insert(0, tokenizer.token_bytes(*id));
  }
  return std::any_of(stops.begin(), stops.end(),
                     [&](const std::string& stop) { return tail.find(stop) != std::string::npos; });
}

FinishReason beam_reason(const BeamAnswer& answer, const GenerateOptions& options,
                         bool cut_by_string) {
  const auto& ends = options.stop_tokens;
  if (std::find(ends.begin(), ends.end(), answer.ids.back()) != ends.end())
    return FinishReason::stop_token;
  if (cut_by_string) return FinishReason::stop_string;
  return static_cast<int64_t>(answer.ids.size()) >= options.max_tokens ? FinishReason::max_tokens
                                                                       : FinishReason::context_full;
}

BeamGeneration as_text(const Tokenizer& tokenizer, const BeamAnswer& answer,
                       const GenerateOptions& options, int64_t prompt_tokens, bool cancelled) {
  BeamGeneration result{.generation = {}, .logprob = answer.logprob, .score = answer.score};
  Generation& out = result.generation;
  StopStrings stops(options.stop_strings);
  Utf8Stream utf8;
  for (size_t i = 0; i < answer.ids.size(); ++i) {
    const int32_t id = answer.ids[i];
    out.tokens.push_back({.id = id, .logprob = answer.logprobs[i]});
    const auto& ends = options.stop_tokens;
    if (std::find(ends.begin(), ends.end(), id) != ends.end()) break;
    if (options.show_special || !tokenizer.is_special(id))
      out.text += utf8.push(stops.push(tokenizer.token_bytes(id)));
  }
  if (!stops.stopped()) out.text += utf8.push(stops.finish());
  out.text += utf8.finish();
  out.stop_string = stops.found();
  out.prompt_tokens = prompt_tokens;
  out.reason = cancelled && !answer.ended ? FinishReason::cancelled
                                          : beam_reason(answer, options, stops.stopped());
  return result;
}

}  // namespace

std::vector<BeamGeneration> generate_beams(Predictor& predictor, const Tokenizer& tokenizer,
                                           std::span<const int32_t> prompt,
                                           const GenerateOptions& options, BeamOptions beams,
                                           const std::function<bool()>& cancelled) {
  check_generate(options);
  check_prompt(prompt, predictor.capacity());
  const auto length = static_cast<int64_t>(prompt.size());
  beams.max_tokens = std::min(options.max_tokens, predictor.capacity() - length);
  beams.repetition_penalty = options.sampling.repetition_penalty;
  beams.end_tokens = options.stop_tokens;
  const int64_t longest = StopStrings(options.stop_strings).longest();
  if (longest > 0)
    beams.ends = [&](std::span<const int32_t> ids) {
      return ends_with_stop(tokenizer, options.stop_strings, longest, ids);
    };
  bool was_cancelled = false;
  const auto asked = [&] { return was_cancelled |= cancelled && cancelled(); };
  std::vector<BeamGeneration> results;
  for (const BeamAnswer& answer :
       beam_search(predictor, prompt, beams, tokenizer.vocab_size(), asked))
    results.push_back(as_text(tokenizer, answer, options, length, was_cancelled));
  return results;
}

}  // namespace malssi
