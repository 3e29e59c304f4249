#include "eval/importance.h"

#include <algorithm>

#include "ops/linear_watch.h"

namespace malssi {

ImportanceCollector::ImportanceCollector(Model& model) : model_(model) {
  model.visit([&](const Parameter& p) {
    if (p.kind != ParameterKind::matrix) return;
    for (size_t i = 0; i < p.parts.size(); ++i) {
      const bool is_held = p.held != nullptr && !p.held->empty();
      const void* place = is_held ? (*p.held)[i].data() : p.value->data();
      sums_[place].names.push_back(p.parts[i].name);
    }
  });
}

void ImportanceCollector::see(const Tensor& x, std::span<const Tensor> weights) {
  const Tensor wide = x.to(DType::f32);
  const int64_t columns = wide.dim(-1), rows = wide.size() / columns;
  for (const Tensor& weight : weights) {
    const auto found = sums_.find(weight.data());
    if (found == sums_.end()) continue;  // the output layer
    Sums& sums = found->second;
    sums.squares.resize(static_cast<size_t>(columns));
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < columns; ++i) {
        const double value = wide.f32()[row * columns + i];
        sums.squares[static_cast<size_t>(i)] += value * value;
      }
    sums.rows += rows;
  }
}

void ImportanceCollector::add(std::span<const int32_t> ids, int64_t window) {
  const LinearWatch watch(
      [this](const Tensor& x, std::span<const Tensor> weights) { see(x, weights); });
  for (size_t at = 0; at < ids.size(); at += static_cast<size_t>(window)) {
    const auto piece = ids.subspan(at, std::min(ids.size() - at, static_cast<size_t>(window)));
    CausalBatch context({0, static_cast<int32_t>(piece.size())});
    model_.hidden(piece, context);
    tokens_ += static_cast<int64_t>(piece.size());
  }
}

std::map<std::string, std::vector<float>> ImportanceCollector::importance() const {
  std::map<std::string, std::vector<float>> result;
  for (const auto& [place, sums] : sums_) {
    if (sums.rows == 0) continue;
    std::vector<float> mean;
    for (const double sum : sums.squares)
      mean.push_back(static_cast<float>(sum / static_cast<double>(sums.rows)));
    for (const std::string& name : sums.names) result[name] = mean;
  }
  return result;
}

}  // namespace malssi
