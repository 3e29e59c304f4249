#include "eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "infer/kv_cache.h"
#include "infer/rows.h"
#include "nn/context.h"
#include "ops/loss.h"

namespace malssi {

namespace {

constexpr int64_t kPassTokens = 1024;

Tensor hidden_of(Model& model, std::span<const int32_t> inputs, const std::vector<int32_t>& starts,
                 const AdapterMix& adapters, std::optional<DType> cache_dtype) {
  if (!cache_dtype) {
    CausalBatch context(starts);
    context.set_adapters({starts.back(), adapters});
    return model.hidden(inputs, context);
  }
  std::vector<CachedContext::Piece> pieces;
  int64_t longest = 0;
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    pieces.push_back({.slot = static_cast<int64_t>(i), .count = starts[i + 1] - starts[i]});
    longest = std::max(longest, pieces.back().count);
  }
  KvCache cache(model.config(), static_cast<int64_t>(pieces.size()), longest, *cache_dtype,
                model.dtype());
  CachedContext context(cache, pieces);
  context.set_adapters({starts.back(), adapters});
  return model.hidden(inputs, context);
}

// One pass over windows that fit it together.
double score_pass(Model& model, std::span<const int32_t> ids, std::span<const Window> windows,
                  const AdapterMix& adapters, std::optional<DType> cache) {
  std::vector<int32_t> inputs, targets, starts;
  std::vector<int64_t> rows;
  for (const Window& window : windows) {
    const auto base = static_cast<int64_t>(inputs.size());
    starts.push_back(static_cast<int32_t>(base));
    for (int64_t at = window.first_scored; at < window.end; ++at) {
      rows.push_back(base + at - 1 - window.begin);
      targets.push_back(ids[static_cast<size_t>(at)]);
    }
    // The window's last token predicts nothing that is scored here.
    const auto input = ids.subspan(static_cast<size_t>(window.begin),
                                   static_cast<size_t>(window.end - 1 - window.begin));
    inputs.insert(inputs.end(), input.begin(), input.end());
  }
  starts.push_back(static_cast<int32_t>(inputs.size()));
  const Tensor hidden = pick_rows(hidden_of(model, inputs, starts, adapters, cache), rows);
  const std::vector<float> ones(targets.size(), 1.0f);
  std::vector<float> losses;
  lm_loss(hidden, model.head(), targets, ones, 1.0f, &losses, model.logit_softcap());
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

}  // namespace

double Likelihood::loss() const { return nll / static_cast<double>(scored); }
double Likelihood::perplexity() const { return std::exp(loss()); }
double Likelihood::word_perplexity() const { return std::exp(nll / static_cast<double>(words)); }
double Likelihood::byte_perplexity() const { return std::exp(nll / static_cast<double>(bytes)); }
double Likelihood::bits_per_byte() const {
  return nll / static_cast<double>(bytes) / std::numbers::ln2;
}

Likelihood& Likelihood::operator+=(const Likelihood& other) {
  nll += other.nll;
  scored += other.scored;
  tokens += other.tokens;
  words += other.words;
  bytes += other.bytes;
  documents += other.documents;
  windows += other.windows;
  return *this;
}

double score_windows(Model& model, std::span<const int32_t> ids, std::span<const Window> windows,
                     const PerplexityOptions& options) {
  const AdapterMix adapters = checked_mix(options.adapters, model.adapters());
  double total = 0;
  for (size_t begin = 0; begin < windows.size();) {
    REQUIRE(!options.cancelled || !options.cancelled(), "stopped before the end: no result");
    size_t count = 0;
    int64_t tokens = 0, scored = 0;
    while (begin + count < windows.size()) {
      const Window& window = windows[begin + count];
      if (count > 0 && tokens + window.end - window.begin > kPassTokens) break;
      tokens += window.end - window.begin;
      scored += window.scored();
      ++count;
    }
    total += score_pass(model, ids, windows.subspan(begin, count), adapters, options.cache);
    REQUIRE(std::isfinite(total),
            "the model's loss is not a finite number: its weights are damaged, or too large for "
            "this precision (try --dtype f32)");
    begin += count;
    if (options.on_progress) options.on_progress(scored);
  }
  return total;
}

Likelihood score_text(Model& model, const Tokenizer& tokenizer, std::string_view text,
                      const PerplexityOptions& options) {
  const int64_t context = model.config().context;
  const int64_t window = options.window > 0 ? options.window : context;
  REQUIRE(window <= context, "the window is ", window, " tokens, the model's context only ",
          context, ": choose a smaller one");
  std::vector<int32_t> ids;
  if (options.begin_text) {
    REQUIRE(tokenizer.bos_id() >= 0, "this model's tokenizer has no begin-of-text token");
    ids.push_back(tokenizer.bos_id());
  }
  tokenizer.encode(text, {}, ids);
  for (const int32_t id : ids)
    REQUIRE(id < model.config().vocab, "token ", id, " is outside the model's vocabulary of ",
            model.config().vocab, ": model and tokenizer do not belong together");
  const auto tokens = static_cast<int64_t>(ids.size());
  const std::vector<Window> windows =
      plan_windows(tokens, window, options.stride > 0 ? options.stride : window);
  Likelihood result{.nll = score_windows(model, ids, windows, options),
                    .tokens = tokens - (options.begin_text ? 1 : 0),
                    .words = count_words(text),
                    .bytes = static_cast<int64_t>(text.size()),
                    .documents = 1,
                    .windows = static_cast<int64_t>(windows.size())};
  for (const Window& w : windows) result.scored += w.scored();
  return result;
}

}  // namespace malssi
