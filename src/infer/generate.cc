#include "infer/generate.h"

#include <algorithm>

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
  const int64_t reused_before = engine_.statistics().reused_tokens;
  Generation answer;
  engine_.submit({.prompt = {prompt.begin(), prompt.end()},
                  .options = options,
                  .drafter = drafter_,
                  .on_text = hooks.on_text,
                  .on_done = [&](Generation done) { answer = std::move(done); },
                  .cancelled = hooks.cancelled});
  engine_.run();
  reused_ = engine_.statistics().reused_tokens - reused_before;
  return answer;
}

std::vector<Generation> generate_batch(Predictor& predictor, const Tokenizer& tokenizer,
                                       std::span<const std::vector<int32_t>> prompts,
                                       const GenerateOptions& options, const BatchHooks& hooks) {
  check_generate(options);
  for (const auto& prompt : prompts) check_prompt(prompt, predictor.capacity());
  std::vector<Generation> answers(prompts.size());
  Engine engine(predictor, tokenizer);
  for (size_t i = 0; i < prompts.size(); ++i) {
    EngineRequest request{.prompt = prompts[i], .options = options, .cancelled = hooks.cancelled};
    request.options.sampling.seed += i;
    request.on_done = [&, i](Generation done) {
      answers[i] = std::move(done);
      if (hooks.on_done) hooks.on_done(static_cast<int64_t>(i));
    };
    engine.submit(std::move(request));
  }
  engine.run();
  return answers;
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
