// Answers as JSON, as `malssi generate` prints them.
#pragma once

#include "base/json.h"
#include "infer/engine.h"
#include "infer/reply.h"

namespace malssi {

// {"text", "finish_reason", "stop_string"?, "logprob", "tokens": [...]}.
Json generation_json(const Tokenizer& tokenizer, const Generation& generation);
// {"prompt_tokens", "reading_seconds", "written_tokens", "writing_seconds", "tokens_per_second", "passes", "drafted_tokens",
// "accepted_tokens", "grammar": {"tokens", "seconds", "longest_seconds"}}.
Json timings_json(const EngineStatistics& statistics);
// Of all its tokens; 0 without log-probabilities.
double total_logprob(const Generation& generation);
// Total over count.
double mean_logprob(const Generation& generation);

}  // namespace malssi
