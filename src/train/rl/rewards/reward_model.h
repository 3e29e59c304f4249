// A reward model as a reward: what people would think of an answer, as `malssi align reward` learned it. It reads prompt and
// answer as texts, by its own tokenizer and chat template, as it did when it was trained.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/rl/rewards/reward.h"
#include "train/tune/student.h"

namespace malssi {

struct RewardModelOptions {
  DType compute = DType::f32;
  int64_t piece_tokens = 2048;
  // What an answer earns that does not fit the model's context with its prompt; nothing: what its beginning does, as far as the
  // model sees, and it is counted.
  std::optional<double> too_long = {};
};

class RewardModel : public Reward {
 public:
  // A reward model's folder or run; or an adapter that makes one, whose base must be where it was. Its weights are frozen, and
  // quantised ones stay so. Throws Error.
  RewardModel(const fs::path& path, const RewardModelOptions& options);

  std::vector<double> scores(std::span<const JudgedAnswer> answers) override;

  // Whether an answer of so many of its tokens fits its context behind the prompt.
  bool leaves_room(const Conversation& prompt, int64_t answer_tokens) const;
  // Answers so far, and those of them whose end it did not see.
  int64_t judged() const { return judged_; }
  int64_t cut() const { return cut_; }

  Model& model() { return *student_.model; }
  const Tokenizer& tokenizer() const { return *student_.tokenizer; }
  // That make it what it is.
  const AdapterMix& adapters() const { return adapters_; }
  // [1, width]: its own, which stays when the model's is trained on.
  const Tensor& head() const { return head_; }

 private:
  // Sequences side by side, and whose they are.
  struct Packed {
    std::vector<int32_t> ids;
    std::vector<int32_t> starts = {0};
    std::vector<size_t> answers;
  };
  void score(const Packed& packed, std::vector<double>& all) const;

  Student student_;
  AdapterMix adapters_;
  Tensor head_;
  std::string where_;
  RewardModelOptions options_;
  int64_t judged_ = 0, cut_ = 0;
};

// Whether both give every id the same meaning.
bool same_tokens(const Tokenizer& a, const Tokenizer& b);

}  // namespace malssi
