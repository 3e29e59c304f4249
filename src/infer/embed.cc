#include "infer/embed.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "io/pooling.h"
#include "nn/context.h"

namespace malssi {
namespace {

constexpr int64_t kTokensAtOnce = 4096;
constexpr std::array<std::pair<std::string_view, Pooling>, 3> kPoolings = {
    {{"cls", Pooling::cls}, {"mean", Pooling::mean}, {"last", Pooling::last}}};

// Rows of hidden that are one text's -> its vector.
void pool(const float* rows, int64_t count, int64_t width, const EmbedOptions& options,
          float* vector) {
  if (options.pooling == Pooling::mean) {
    std::vector<double> sums(static_cast<size_t>(width), 0.0);
    for (int64_t i = 0; i < count * width; ++i) sums[static_cast<size_t>(i % width)] += rows[i];
    for (int64_t d = 0; d < width; ++d)
      vector[d] = static_cast<float>(sums[static_cast<size_t>(d)] / static_cast<double>(count));
  } else {
    std::copy_n(rows + (options.pooling == Pooling::last ? (count - 1) * width : 0), width, vector);
  }
  if (options.length == VectorLength::any) return;
  double squares = 0;
  for (int64_t d = 0; d < width; ++d) squares += static_cast<double>(vector[d]) * vector[d];
  const auto scale = static_cast<float>(1 / std::max(std::sqrt(squares), 1e-12));
  for (int64_t d = 0; d < width; ++d) vector[d] *= scale;
}

}  // namespace

Pooling pooling_named(std::string_view name) {
  for (const auto& [known, pooling] : kPoolings)
    if (known == name) return pooling;
  throw Error(concat("unknown pooling \"", name, "\"; known are cls, mean, last"));
}

EmbedOptions embed_options(const fs::path& model, const ModelConfig& config) {
  EmbedOptions options{.pooling = is_encoder(config) ? Pooling::mean : Pooling::last};
  if (!config.pooling.empty()) options.pooling = pooling_named(config.pooling);
  if (is_folder(model) && folder_normalizes(model)) options.length = VectorLength::one;
  return options;
}

std::vector<int32_t> embed_ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids = tokenizer.encode(text, {.add_special = true});
  REQUIRE(!ids.empty(), "an empty text has no embedding");
  return ids;
}

void truncate_ids(std::vector<int32_t>& ids, const ModelConfig& config) {
  const auto context = static_cast<size_t>(config.context);
  if (ids.size() <= context) return;
  const int32_t last = ids.back();
  ids.resize(context);
  if (is_encoder(config)) ids.back() = last;
}

Tensor embed(Model& model, const std::vector<std::vector<int32_t>>& texts,
             const EmbedOptions& options) {
  const int64_t width = model.config().width, context = model.config().context;
  for (size_t i = 0; i < texts.size(); ++i)
    REQUIRE(!texts[i].empty() && static_cast<int64_t>(texts[i].size()) <= context, "text ", i + 1,
            " has ", texts[i].size(), " tokens; expected 1 to ", context,
            " (shorten it, or let it be truncated)");
  std::vector<size_t> order(texts.size());  // by length, so that batches take about the same time
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return texts[a].size() > texts[b].size(); });
  const AdapterMix adapters = checked_mix(options.adapters, model.adapters());
  Tensor vectors = Tensor::empty({static_cast<int64_t>(texts.size()), width});
  for (size_t begin = 0; begin < order.size();) {
    std::vector<int32_t> ids, starts{0};
    size_t end = begin;
    do {
      const std::vector<int32_t>& text = texts[order[end++]];
      ids.insert(ids.end(), text.begin(), text.end());
      starts.push_back(static_cast<int32_t>(ids.size()));
    } while (end < order.size() &&
             static_cast<int64_t>(ids.size() + texts[order[end]].size()) <= kTokensAtOnce);
    CausalBatch batch(starts);
    batch.set_adapters({starts.back(), adapters});
    const Tensor hidden = model.hidden(ids, batch).to(DType::f32);
    for (size_t i = begin; i < end; ++i) {
      const int32_t from = starts[i - begin], to = starts[i - begin + 1];
      pool(hidden.f32() + from * width, to - from, width, options,
           vectors.f32() + static_cast<int64_t>(order[i]) * width);
    }
    begin = end;
  }
  return vectors;
}

}  // namespace malssi
