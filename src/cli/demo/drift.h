// How far a model has moved from the one that it began with: the KL divergence in nats an answer, estimated from one drawn
// answer to each question.
#pragma once

#include <optional>
#include <span>

#include "base/file.h"
#include "data/world/questions.h"

namespace malssi::demo {

// Nothing when a stop was asked for.
std::optional<double> drift(const fs::path& model, const fs::path& start,
                            std::span<const world::Question> questions, int64_t answer_tokens);

}  // namespace malssi::demo
