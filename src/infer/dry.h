// DRY ("don't repeat yourself", p-e-w 2024, text-generation-webui pull request 5677): a token that
// would lengthen a repetition of the sequence's latest n tokens loses multiplier * base^(n -
// allowed_length), for the longest such n >= allowed_length. A repetition does not reach over a
// breaker token, so that what a format repeats (names, line ends) stays free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "infer/sampling_options.h"
#include "text/tokenizer.h"

namespace malssi {

void penalise_dry(std::span<float> logits, std::span<const int32_t> history,
                  const DryOptions& options);

// The tokens whose text contains one of the breakers. Error: an empty breaker.
std::vector<int32_t> dry_breaker_ids(const Tokenizer& tokenizer,
                                     std::span<const std::string> breakers);
// "\n", ":", "\"", "*": the usual breakers.
std::vector<std::string> usual_dry_breakers();

}  // namespace malssi
