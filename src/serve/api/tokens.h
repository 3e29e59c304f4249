// POST /tokenize and /detokenize.
#pragma once

#include "serve/api/call.h"

namespace malssi {

// {"prompt" or "content": text, or "messages": [...]; "add_special_tokens", "parse_special", "return_token_strs"} -> {"tokens", "count",
// "max_model_len", "token_strs"}.
void answer_tokenize(Hub& hub, Call call);
// {"tokens": [...]} -> {"prompt", "content"}: the text, under both names in use.
void answer_detokenize(Hub& hub, Call call);

}  // namespace malssi
