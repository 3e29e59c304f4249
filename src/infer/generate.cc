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
                  .draft_tokens = draft_tokens_,
                  .on_text = hooks.on_text,
                  .on_done = [&](Generation done) { answer = std::move(done); },
                  .cancelled = hooks.cancelled});
  engine_.run();
  reused_ = engine_.statistics().reused_tokens - reused_before;
  return answer;
}

std::vector<Generation> generate_batch(Predictor& predictor, const Tokenizer& tokenizer,
                                       std::span<const std::vector<int32_t>> prompts,
                                       const GenerateOptions& options, const BatchHooks& hooks,
                                       std::span<const AdapterMix> adapters) {
  check_generate(options);
  CHECK(adapters.empty() || adapters.size() == prompts.size());
  for (const auto& prompt : prompts) check_prompt(prompt, predictor.capacity());
  std::vector<Generation> answers(prompts.size());
  Engine engine(predictor, tokenizer);
  for (size_t i = 0; i < prompts.size(); ++i) {
    EngineRequest request{.prompt = prompts[i], .options = options, .cancelled = hooks.cancelled};
    request.options.sampling.seed += i;
    if (!adapters.empty()) request.options.adapters = adapters[i];
    request.on_done = [&, i](Generation done) {
      answers[i] = std::move(done);
      if (hooks.on_done) hooks.on_done(static_cast<int64_t>(i), answers[i]);
    };
    engine.submit(std::move(request));
  }
  engine.run();
  return answers;
}

namespace {

// True when the answer's text contains a stop string: beams that had one before are over already.
bool has_stop(const Tokenizer& tokenizer, const DecodeOptions& decoding,
              const std::vector<std::string>& stops, std::span<const int32_t> ids) {
  const std::string text = tokenizer.decode(ids, decoding);
  return std::any_of(stops.begin(), stops.end(),
                     [&](const std::string& stop) { return text.find(stop) != std::string::npos; });
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
                       const GenerateOptions& options, std::span<const int32_t> prompt,
                       bool cancelled) {
  BeamGeneration result{.generation = {}, .logprob = answer.logprob, .score = answer.score};
  Generation& out = result.generation;
  StopStrings stops(options.stop_strings);
  DecodeStream decode(tokenizer, decoding(tokenizer, prompt, options));
  Utf8Stream utf8;
  for (size_t i = 0; i < answer.ids.size(); ++i) {
    const int32_t id = answer.ids[i];
    out.tokens.push_back({.id = id, .logprob = answer.logprobs[i]});
    const auto& ends = options.stop_tokens;
    if (std::find(ends.begin(), ends.end(), id) != ends.end()) break;
    out.text += utf8.push(stops.push(decode.push(id)));
  }
  if (!stops.stopped()) out.text += utf8.push(stops.finish());
  out.text += utf8.finish();
  out.stop_string = stops.found();
  out.prompt_tokens = static_cast<int64_t>(prompt.size());
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
  beams.repetition_penalty = options.sampling.penalty.repetition;
  beams.end_tokens = options.stop_tokens;
  const DecodeOptions how = decoding(tokenizer, prompt, options);
  if (!options.stop_strings.empty())
    beams.ends = [&](std::span<const int32_t> ids) {
      return has_stop(tokenizer, how, options.stop_strings, ids);
    };
  predictor.truncate(0, 0);
  predictor.set_adapters(0, checked_mix(options.adapters, predictor.adapters()));
  bool was_cancelled = false;
  const auto asked = [&] { return was_cancelled |= cancelled && cancelled(); };
  std::vector<BeamGeneration> results;
  for (const BeamAnswer& answer :
       beam_search(predictor, prompt, beams, tokenizer.vocab_size(), asked))
    results.push_back(as_text(tokenizer, answer, options, prompt, was_cancelled));
  return results;
}

}  // namespace malssi
