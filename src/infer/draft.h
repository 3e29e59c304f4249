// Drafts for speculative decoding (Leviathan et al. 2023): tokens that may well come next, which the model then checks in one
// pass. What is drafted changes the speed of an answer, never the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "infer/predictor.h"

namespace malssi {

class Drafter {
 public:
  virtual ~Drafter() = default;
  // Up to `most` tokens to follow the sequence so far; none where it has no idea.
  virtual std::vector<int32_t> draft(std::span<const int32_t> tokens, int64_t most) = 0;
};

// What followed the last time the sequence's latest few tokens stood there ("prompt look-up": Saxena 2023). At least
// `shortest` tokens must agree; up to `longest` are tried first.
std::unique_ptr<Drafter> lookup_drafter(int64_t longest = 4, int64_t shortest = 2);
// The likeliest tokens by a smaller model with the same vocabulary. The predictor must outlive the drafter, which has its
// slot 0 for itself. vocab: ids that the larger model knows (a smaller model's rows may be padded).
std::unique_ptr<Drafter> model_drafter(Predictor& smaller, int64_t vocab);

}  // namespace malssi
