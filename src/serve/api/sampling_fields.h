// The fields of a request that choose tokens, the same for all endpoints that write.
#pragma once

#include "infer/reply.h"
#include "serve/api/fields.h"
#include "serve/hub/model_table.h"

namespace malssi {

// temperature, top_p, top_k, min_p, typical_p, presence_penalty, frequency_penalty, repetition_penalty, seed (drawn where it is
// absent), logit_bias, stop, and adapters, in place of the defaults.
GenerateOptions generate_options(const Fields& request, const ModelUse& use,
                                 ServedModel::Use defaults);
// The answer's longest length: the first of these fields that is there, else as many tokens as the context has room for.
void read_max_tokens(const Fields& request, std::initializer_list<std::string_view> keys,
                     GenerateOptions& options, const ServedModel& model);
// n, 1 where it is absent.
int64_t read_choices(const Fields& request, int64_t most);

}  // namespace malssi
