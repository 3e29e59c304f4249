#include "train/rl/rewards/model_reward.h"

#include "base/error.h"
#include "io/model_folder.h"
#include "models/value_head.h"
#include "nn/context.h"
#include "ops/sequence_score.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kPieceTokens = 2048;

class ModelReward : public Reward {
 public:
  ModelReward(LoadedModel loaded, double too_long)
      : loaded_(std::move(loaded)), too_long_(too_long) {}

  std::vector<double> scores(std::span<const JudgedAnswer> answers) override {
    std::vector<double> all(answers.size(), too_long_);
    Piece piece;
    for (size_t i = 0; i < answers.size(); ++i) {
      Conversation whole = answers[i].prompt.messages;
      whole.push_back({.role = "assistant", .content = answers[i].text});
      const auto ids = encode_chat(*loaded_.tokenizer, loaded_.dialogue(), whole, false).ids;
      if (std::ssize(ids) > loaded_.model->config().context) continue;
      if (std::ssize(piece.ids) + std::ssize(ids) > kPieceTokens) score(piece, all);
      piece.ids.insert(piece.ids.end(), ids.begin(), ids.end());
      piece.starts.push_back(static_cast<int32_t>(piece.ids.size()));
      piece.answers.push_back(i);
    }
    score(piece, all);
    return all;
  }

 private:
  struct Piece {
    std::vector<int32_t> ids, starts = {0};
    std::vector<size_t> answers;
  };

  void score(Piece& piece, std::vector<double>& all) const {
    if (piece.answers.empty()) return;
    const NoTape untaped;
    CausalBatch context(piece.starts);
    context.set_adapters({std::ssize(piece.ids), loaded_.adapters});
    const Tensor scores = sequence_scores(loaded_.model->hidden(piece.ids, context),
                                          loaded_.model->head(), piece.starts);
    for (size_t i = 0; i < piece.answers.size(); ++i) all[piece.answers[i]] = scores.f32()[i];
    piece = {};
  }

  LoadedModel loaded_;
  double too_long_;
};

}  // namespace

std::unique_ptr<Reward> model_reward(const fs::path& folder, DType compute, double too_long) {
  LoadedModel loaded = load_model(folder, compute);
  REQUIRE(has_value_head(*loaded.model), folder.string(),
          ": is a language model, which gives no rewards: name a reward model, as made by malssi "
          "align reward");
  loaded.dialogue();  // that there is one
  return std::make_unique<ModelReward>(std::move(loaded), too_long);
}

}  // namespace malssi
