#include "train/rl/critic.h"

#include <numeric>

#include "nn/context.h"
#include "ops/sequence_score.h"
#include "tensor/tape.h"
#include "train/rl/token_log_probs.h"

namespace malssi {

Tensor token_values(const Critic& critic, const Tensor& hidden) {
  std::vector<int32_t> starts(static_cast<size_t>(hidden.dim(0)) + 1);
  std::iota(starts.begin(), starts.end(), 0);  // each token is a sequence of its own
  return sequence_scores(hidden, critic.head, starts);
}

std::optional<std::vector<std::vector<float>>> answer_token_values(
    const Critic& critic, std::span<const Rollout> rollouts, int64_t piece_tokens,
    const std::function<bool()>& stop_requested) {
  const NoTape untaped;
  std::vector<int64_t> all(rollouts.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::vector<float>> result;
  for (const auto& piece : rollout_pieces(rollouts, all, piece_tokens)) {
    if (stop_requested && stop_requested()) return {};
    const Batch batch = rollout_batch(rollouts, piece);
    CausalBatch context(batch.starts);
    context.set_adapters({batch.tokens(), critic.adapters});
    const Tensor values = token_values(critic, critic.model->hidden(batch.ids, context));
    const float* at = values.f32();
    for (const int64_t number : piece) {
      const Rollout& each = rollouts[static_cast<size_t>(number)];
      at += each.prompt.size() - 1;
      result.emplace_back(at, at + each.answer.size());
      at += each.answer.size();
    }
  }
  return result;
}

double explained_variance(std::span<const std::vector<float>> values,
                          std::span<const std::vector<double>> returns) {
  double count = 0, sum = 0, error_sum = 0, squares = 0, error_squares = 0;
  for (size_t i = 0; i < returns.size(); ++i) {
    for (size_t t = 0; t < returns[i].size(); ++t) {
      const double r = returns[i][t], error = r - values[i][t];
      ++count;
      sum += r;
      squares += r * r;
      error_sum += error;
      error_squares += error * error;
    }
  }
  if (count == 0) return 0;
  const double variance = squares / count - (sum / count) * (sum / count);
  const double left = error_squares / count - (error_sum / count) * (error_sum / count);
  return variance > 1e-12 ? 1 - left / variance : 0;
}

}  // namespace malssi
