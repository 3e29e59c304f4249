// Choosing the next token from its logits [V]. The order:
//   1. logit bias, added
//   2. repetition, presence and frequency penalties (penalties.h)
//   3. DRY (dry.h)
//   4. temperature; 0 takes the likeliest token and ends here
//   5. top-n-sigma, top-k, top-p, min-p, typical-p (filters.h), or Mirostat in place of them
//   6. XTC (filters.h)
//   7. one draw
// This is Hugging Face's order, with the temperature before the filters; llama.cpp applies it last,
// and typical-p before top-p.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "infer/filters.h"
#include "infer/mirostat.h"
#include "infer/penalties.h"
#include "infer/sampling_options.h"

namespace malssi {

// Draws tokens for one sequence and remembers what it has seen.
class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options);
  // Tokens of the prompt, which penalties count; sampled ones count by themselves.
  void see(std::span<const int32_t> ids);
  int32_t sample(std::span<const float> logits);
  // For who chooses by himself: whether the likeliest token is to be taken, the logits after steps 1 to 3 (valid until the next
  // call), and what was chosen.
  bool is_greedy() const { return options_.temperature == 0; }
  std::span<const float> changed(std::span<const float> logits);
  void taken(int32_t id) { history_.push_back(id); }

 private:
  void change(std::span<float> logits);
  int32_t draw(std::span<const float> logits);

  SamplingOptions options_;
  bool changes_logits_;
  Rng rng_;
  Mirostat mirostat_;
  std::vector<int32_t> history_;  // prompt and answer
  int64_t prompt_length_ = 0;
  TokenCounts counts_;
  std::vector<float> scratch_;
};

}  // namespace malssi
