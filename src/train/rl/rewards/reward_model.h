// A reward model as a reward: what people would think of an answer, as `malssi align reward` learned it. It reads prompt and
// answer as texts, by its own tokenizer and chat template, as it did when it was trained.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/rl/rewards/reward.h"
#include "train/tune/student.h"

namespace malssi {

class RewardModel : public Reward {
 public:
  // A reward model's folder or run; or an adapter that makes one, whose base must be where it was. Its weights are frozen, and
  // quantised ones stay so. Throws Error.
  RewardModel(const fs::path& path, DType compute, int64_t piece_tokens = 2048);

  std::vector<double> scores(std::span<const JudgedAnswer> answers) override;

  Model& model() { return *student_.model; }
  const Tokenizer& tokenizer() const { return *student_.tokenizer; }
  // That make it what it is.
  const AdapterMix& adapters() const { return adapters_; }
  // [1, width]: its own, which stays when the model's is trained on.
  const Tensor& head() const { return head_; }

 private:
  Student student_;
  AdapterMix adapters_;
  Tensor head_;
  std::string where_;
  int64_t piece_tokens_;
};

// Whether both give every id the same meaning.
bool same_tokens(const Tokenizer& a, const Tokenizer& b);

}  // namespace malssi
