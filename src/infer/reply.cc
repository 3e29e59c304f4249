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
  const double before = grammar_times_.seconds;
  const int32_t id = sampler_.is_greedy() ? likeliest(logits) : draw(logits);
  ++grammar_times_.tokens;
  grammar_times_.longest = std::max(grammar_times_.longest, grammar_times_.seconds - before);
  return id;
}

template <class Body>
auto Reply::timed(const Body& body) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto result = body();
  grammar_times_.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

bool Reply::stops(int32_t id) const {
  const auto& ends = options_.stop_tokens;
  return std::find(ends.begin(), ends.end(), id) != ends.end();
}

// Mostly the likeliest of all may come, which is found out sooner than which ones may.
int32_t Reply::likeliest(std::span<const float> logits) {
  logits = sampler_.changed(logits);
  int32_t id = argmax(logits);
  if (!timed([&] { return stops(id) ? grammar_->can_end() : grammar_->accept(id); })) {
    id = timed([&] { return grammar_->likeliest(logits, options_.stop_tokens); });
    accept(id);
  }
  sampler_.taken(id);
  return id;
}

int32_t Reply::draw(std::span<const float> logits) {
  masked_.assign(logits.begin(), logits.end());
  timed([&] { return grammar_->mask(masked_, options_.stop_tokens), true; });
  const int32_t id = sampler_.sample(masked_);
  accept(id);
  return id;
}

void Reply::accept(int32_t id) {
  const bool fits = stops(id) || timed([&] { return grammar_->accept(id); });
  CHECK(fits, "token ", id, " does not fit the grammar");
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
  if (stops(id)) {
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
