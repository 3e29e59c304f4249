// Answers as JSON, as `malssi generate` prints them.
#pragma once

#include "base/json.h"
#include "infer/reply.h"

namespace malssi {

// {"text", "finish_reason", "stop_string"?, "logprob", "tokens": [...]}.
Json generation_json(const Tokenizer& tokenizer, const Generation& generation);
// Of all its tokens; 0 without log-probabilities.
double total_logprob(const Generation& generation);
// Total over count.
double mean_logprob(const Generation& generation);

}  // namespace malssi
