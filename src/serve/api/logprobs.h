// Tokens with their probabilities, as OpenAI's API tells them.
#pragma once

#include <span>

#include "infer/reply.h"
#include "serve/api/fields.h"
#include "text/tokenizer.h"

namespace malssi {

inline constexpr int64_t kMostAlternatives =
    200;  // OpenAI has 20; the page's token view shows more

// Chat: "logprobs" and "top_logprobs"; completions: "logprobs", a number. In GenerateOptions' terms.
int64_t read_chat_logprobs(const Fields& request);
int64_t read_completion_logprobs(const Fields& request);

// Chat: a list of {"token", "logprob", "bytes", "top_logprobs", "id"}.
Json chat_logprobs(const Tokenizer& tokenizer, std::span<const GeneratedToken> tokens);
// Completions: {"tokens", "token_logprobs", "top_logprobs", "text_offset"}; offset: where the first begins in the answer, in bytes;
// it is moved on.
Json completion_logprobs(const Tokenizer& tokenizer, std::span<const GeneratedToken> tokens,
                         int64_t& offset);

}  // namespace malssi
