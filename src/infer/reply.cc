#include "infer/reply.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace malssi {

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop_token:
      return "stop_token";
    case FinishReason::stop_string:
      return "stop_string";
    case FinishReason::grammar_complete:
      return "grammar_complete";
    case FinishReason::max_tokens:
      return "max_tokens";
    case FinishReason::context_full:
      return "context_full";
    case FinishReason::cancelled:
      return "cancelled";
  }
  CHECK(false, "unknown reason");
}

void check_generate(const GenerateOptions& options) {
  check_sampling(options.sampling);
  REQUIRE(options.max_tokens >= 1, "max tokens is ", options.max_tokens, ": it must be at least 1");
  REQUIRE(options.logprobs >= -1 && options.logprobs <= 1000, "log-probabilities of ",
          options.logprobs, " alternatives: it must be between 0 and 1000");
  StopStrings{options.stop_strings};
}

void check_prompt(std::span<const int32_t> prompt, int64_t capacity) {
  const auto length = static_cast<int64_t>(prompt.size());
  REQUIRE(length > 0, "the prompt is empty: give the model some text to go on from");
  REQUIRE(length < capacity, "the prompt has ", length, " tokens, but prompt and answer must fit ",
          capacity, " together: shorten the prompt, or use a model with a longer context");
}

DecodeOptions decoding(const Tokenizer& tokenizer, std::span<const int32_t> prompt,
                       const GenerateOptions& options) {
  const bool has_text = std::any_of(prompt.begin(), prompt.end(), [&](int32_t id) {
    return id < tokenizer.vocab_size() && !tokenizer.is_special(id);
  });
  return {.skip_special = !options.show_special, .place = has_text ? options.place : Place::start};
}

Reply::Reply(const Tokenizer& tokenizer, std::span<const int32_t> prompt,
             const GenerateOptions& options, int64_t capacity)
    : tokenizer_(tokenizer),
      options_(options),
      capacity_(capacity),
      sampler_(options.sampling),
      stops_(options.stop_strings),
      decode_(tokenizer, decoding(tokenizer, prompt, options)) {
  check_generate(options);
  check_bias(options.sampling, tokenizer.vocab_size());
  check_prompt(prompt, capacity);
  sampler_.see(prompt);
  grammar_begun_ = options.grammar_after < 0;
  if (options.grammar)
    grammar_.emplace(options.grammar,
                     grammar_begun_ ? decoding(tokenizer, prompt, options).place : Place::inside);
  generation_.prompt_tokens = static_cast<int64_t>(prompt.size());
}

int32_t Reply::choose(std::span<const float> logits) {
  if (!holds_grammar()) {
    const int32_t id = sampler_.sample(logits);
    grammar_begun_ = grammar_begun_ || id == options_.grammar_after;
    return id;
  }
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  masked_.assign(logits.begin(), logits.end());
  grammar_->mask(masked_, options_.stop_tokens);
  const auto masked = Clock::now();
  const int32_t id = sampler_.sample(masked_);
  const auto chosen = Clock::now();
  const auto& ends = options_.stop_tokens;
  const bool stops = std::find(ends.begin(), ends.end(), id) != ends.end();
  CHECK(stops || grammar_->accept(id), "token ", id, " does not fit the grammar");
  const std::chrono::duration<double> taken = masked - begin + (Clock::now() - chosen);
  ++grammar_times_.tokens;
  grammar_times_.seconds += taken.count();
  grammar_times_.longest = std::max(grammar_times_.longest, taken.count());
  return id;
}

std::optional<int32_t> Reply::advance(std::span<const float> logits) {
  CHECK(!over_, "the answer is over");
  logits = logits.first(
      std::min(logits.size(), static_cast<size_t>(std::max<int64_t>(tokenizer_.vocab_size(), 1))));
  GeneratedToken token{.id = choose(logits)};
  if (options_.logprobs >= 0) {
    token.top = top_logprobs(logits, options_.logprobs);
    token.logprob = logits[static_cast<size_t>(token.id)] - log_sum_exp(logits);
  }
  generation_.tokens.push_back(token);
  const int32_t id = token.id;
  const auto& ends = options_.stop_tokens;
  if (std::find(ends.begin(), ends.end(), id) != ends.end()) {
    end(FinishReason::stop_token);
    return std::nullopt;
  }
  add_text(decode_.push(id));
  const auto count = static_cast<int64_t>(generation_.tokens.size());
  if (stops_.stopped())
    end(FinishReason::stop_string);
  else if (holds_grammar() && grammar_->must_end())
    end(FinishReason::grammar_complete);
  else if (count >= options_.max_tokens)
    end(FinishReason::max_tokens);
  else if (generation_.prompt_tokens + count >= capacity_)
    end(FinishReason::context_full);
  return over_ ? std::nullopt : std::optional(id);
}

std::string Reply::take_text() {
  std::string text = generation_.text.substr(taken_);
  taken_ = generation_.text.size();
  return text;
}

Generation Reply::take() && {
  CHECK(over_, "the answer is not over");
  return std::move(generation_);
}

void Reply::end(FinishReason reason) {
  if (over_) return;
  over_ = true;
  if (!stops_.stopped()) generation_.text += utf8_.push(stops_.finish());
  generation_.text += utf8_.finish();
  generation_.stop_string = stops_.found();
  generation_.reason = reason;
}

void Reply::add_text(std::string_view bytes) { generation_.text += utf8_.push(stops_.push(bytes)); }

}  // namespace malssi
