#include "eval/importance.h"

#include <algorithm>

#include "io/model_source.h"
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

Importance ImportanceCollector::importance() const {
  Importance result;
  for (const auto& [place, sums] : sums_) {
    if (sums.rows == 0) continue;
    std::vector<float> mean;
    for (const double sum : sums.squares)
      mean.push_back(static_cast<float>(sum / static_cast<double>(sums.rows)));
    for (const std::string& name : sums.names) result[name] = mean;
  }
  return result;
}

namespace {

// Rows of the experts that saw something, under each other; the others' are filled with their mean.
std::vector<float> stacked(const std::vector<const std::vector<float>*>& experts) {
  std::vector<float> mean;
  int64_t count = 0;
  for (const auto* expert : experts) {
    if (expert == nullptr) continue;
    mean.resize(expert->size());
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += (*expert)[i];
    ++count;
  }
  for (float& column : mean) column /= static_cast<float>(count);
  std::vector<float> rows;
  for (const auto* expert : experts) {
    const std::vector<float>& row = expert == nullptr ? mean : *expert;
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace

Importance gguf_importance(Model& model, const Importance& published) {
  Importance result;
  std::map<std::string, std::vector<const std::vector<float>*>> experts;
  for (const ModelPart& p : parts_of(model)) {
    const auto found = published.find(p.part.name);
    const std::vector<float>* known = found == published.end() ? nullptr : &found->second;
    if (p.part.expert < 0) {
      if (known != nullptr) result[p.part.gguf] = *known;
      continue;
    }
    auto& rows = experts[p.part.gguf];
    rows.resize(std::max(rows.size(), static_cast<size_t>(p.part.expert) + 1));
    rows[static_cast<size_t>(p.part.expert)] = known;
  }
  for (const auto& [name, rows] : experts)
    if (std::vector<float> all = stacked(rows); !all.empty()) result[name] = std::move(all);
  return result;
}

}  // namespace malssi
