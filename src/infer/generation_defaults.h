// What a model folder says about how to generate: generation_config.json's settings and the tokens
// that end an answer.
#pragma once

#include "infer/reply.h"
#include "io/model_folder.h"

namespace malssi {

// Sampling settings that the folder's generation_config.json gives, else temperature 0.8 and top-p
// 0.95; "do_sample": false means greedy. Stop tokens are those of generation_config.json, of the
// model's config and of the tokenizer, and, with for_chat, those of the chat template. Error: a
// setting of the wrong type or out of range.
GenerateOptions generation_defaults(const LoadedModel& loaded, bool for_chat);

}  // namespace malssi
