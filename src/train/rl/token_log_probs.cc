#include "train/rl/token_log_probs.h"

#include <numeric>

#include "base/error.h"
#include "nn/context.h"
#include "ops/activation.h"
#include "ops/sequence_loss.h"
#include "tensor/tape.h"

namespace malssi {

Batch rollout_batch(std::span<const Rollout> rollouts, std::span<const int64_t> which) {
  Batch batch;
  batch.starts = {0};
  for (const int64_t number : which) {
    const Rollout& each = rollouts[static_cast<size_t>(number)];
    CHECK(!each.prompt.empty() && !each.answer.empty(), "a rollout without prompt or answer");
    std::vector<int32_t> ids = each.prompt;
    ids.insert(ids.end(), each.answer.begin(), each.answer.end());
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end() - 1);
    batch.targets.insert(batch.targets.end(), ids.begin() + 1, ids.end());
    batch.weights.insert(batch.weights.end(), each.prompt.size() - 1, 0.0f);
    batch.weights.insert(batch.weights.end(), each.answer.size(), 1.0f);
    batch.starts.push_back(static_cast<int32_t>(batch.ids.size()));
  }
  return batch;
}

std::vector<std::vector<int64_t>> rollout_pieces(std::span<const Rollout> rollouts,
                                                 std::span<const int64_t> which,
                                                 int64_t piece_tokens) {
  std::vector<std::vector<int64_t>> pieces;
  int64_t tokens = 0;
  for (const int64_t number : which) {
    const Rollout& each = rollouts[static_cast<size_t>(number)];
    const int64_t length = std::ssize(each.prompt) + std::ssize(each.answer) - 1;
    if (pieces.empty() || tokens + length > piece_tokens) {
      pieces.emplace_back();
      tokens = 0;
    }
    pieces.back().push_back(number);
    tokens += length;
  }
  return pieces;
}

Tensor token_log_probs(Model& model, const Batch& batch, const PolicyView& view) {
  CausalBatch context(batch.starts);
  context.set_adapters({batch.tokens(), view.adapters});
  return token_log_probs_of(model, model.hidden(batch.ids, context), batch, view.temperature);
}

Tensor token_log_probs_of(const Model& model, const Tensor& hidden, const Batch& batch,
                          double asked) {
  const double temperature = asked > 0 ? asked : 1;
  ScoredTokens tokens{.targets = batch.targets, .weights = batch.weights, .starts = {}};
  tokens.starts.resize(batch.ids.size() + 1);  // each token is a sequence of its own
  std::iota(tokens.starts.begin(), tokens.starts.end(), 0);
  // cap tanh(z / cap) / T is a cap / T on z / T.
  return sequence_log_probs(scaled(hidden, static_cast<float>(1 / temperature)), model.head(),
                            tokens, model.logit_softcap() / static_cast<float>(temperature));
}

std::optional<std::vector<std::vector<float>>> answer_token_log_probs(
    Model& model, std::span<const Rollout> rollouts, const PolicyView& view, int64_t piece_tokens,
    const std::function<bool()>& stop_requested) {
  const NoTape untaped;
  std::vector<int64_t> all(rollouts.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::vector<float>> result;
  for (const auto& piece : rollout_pieces(rollouts, all, piece_tokens)) {
    if (stop_requested && stop_requested()) return {};
    const Tensor log_probs = token_log_probs(model, rollout_batch(rollouts, piece), view);
    const float* at = log_probs.f32();
    for (const int64_t number : piece) {
      const Rollout& each = rollouts[static_cast<size_t>(number)];
      at += each.prompt.size() - 1;
      result.emplace_back(at, at + each.answer.size());
      at += each.answer.size();
    }
  }
  return result;
}

}  // namespace malssi
