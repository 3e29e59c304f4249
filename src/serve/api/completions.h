// POST /v1/completions: goes on from texts, as OpenAI's older API has it.
#pragma once

#include "serve/api/call.h"
#include "serve/api/fields.h"

namespace malssi {

void answer_completion(Hub& hub, Call call);

// A text, a list of texts, a list of tokens, or a list of such lists, as ids. add_special: what the tokenizer itself puts around
// texts. ApiError 400: anything else, an unknown token, or too long a text.
std::vector<std::vector<int32_t>> read_prompts(const Fields& request, std::string_view key,
                                               const ServedModel& model);

}  // namespace malssi
