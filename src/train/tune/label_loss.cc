#include "train/tune/label_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace malssi {

LabelLoss class_loss(std::span<const float> scores, int64_t label, double weight) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - most);
  const double normal = most + std::log(sum);
  LabelLoss loss{.value = weight * (normal - scores[static_cast<size_t>(label)])};
  for (const float score : scores) loss.derivatives.push_back(weight * std::exp(score - normal));
  loss.derivatives[static_cast<size_t>(label)] -= weight;
  return loss;
}

LabelLoss confident_loss(std::span<const float> scores, int64_t label, double weight, double own) {
  const int64_t best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  LabelLoss loss = class_loss(scores, label, weight * (1 - own));
  const LabelLoss sure = class_loss(scores, best, weight * own);
  loss.value += sure.value;
  for (size_t i = 0; i < scores.size(); ++i) loss.derivatives[i] += sure.derivatives[i];
  return loss;
}

LabelLoss regression_loss(std::span<const float> scores, double value) {
  const double off = scores[0] - value;
  return {.value = off * off, .derivatives = {2 * off}};
}

std::vector<double> balanced_weights(std::span<const int64_t> records_of_class) {
  const auto records = static_cast<double>(
      std::accumulate(records_of_class.begin(), records_of_class.end(), int64_t{0}));
  const auto classes = static_cast<double>(records_of_class.size());
  std::vector<double> weights;
  for (const int64_t count : records_of_class)
    weights.push_back(count == 0 ? 1 : records / (classes * static_cast<double>(count)));
  return weights;
}

}  // namespace malssi
