#include "infer/classify.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "infer/embed.h"
#include "infer/ngrams.h"
#include "nn/context.h"
#include "tensor/tape.h"

namespace malssi {

ClassifierText classifier_text(const Model& model, const Tokenizer& tokenizer,
                               std::string_view text, int64_t context) {
  ClassifierText read{.ids = embed_ids(tokenizer, text)};
  ModelConfig limits = model.config();
  limits.context = std::min(limits.context, context);
  read.is_cut = static_cast<int64_t>(read.ids.size()) > limits.context;
  truncate_ids(read.ids, limits);
  if (const Labels* labels = labels_of(model)) read.ngrams = ngrams_of(text, labels->ngrams);
  return read;
}

std::vector<std::vector<float>> classify(Model& model, const std::vector<ClassifierText>& texts,
                                         const AdapterMix& adapters) {
  constexpr int64_t kTokensAtOnce = 4096;
  const NoTape untaped;
  const Labels* labels = labels_of(model);
  REQUIRE(labels, "the model has no labels: name a classifier (malssi tune classify)");
  std::vector<std::vector<float>> scores;
  for (size_t begin = 0; begin < texts.size();) {
    std::vector<int32_t> ids, starts{0};
    size_t end = begin;
    do {
      ids.insert(ids.end(), texts[end].ids.begin(), texts[end].ids.end());
      starts.push_back(static_cast<int32_t>(ids.size()));
      ++end;
    } while (end < texts.size() &&
             static_cast<int64_t>(ids.size() + texts[end].ids.size()) <= kTokensAtOnce);
    CausalBatch context(starts);
    context.set_adapters({static_cast<int64_t>(ids.size()), adapters});
    const std::vector<float> some =
        label_scores(model, model.hidden(ids, context), starts).to_vector();
    for (auto at = some.begin(); at != some.end(); at += labels->size()) {
      scores.emplace_back(at, at + labels->size());
      add_ngram_scores(model, texts[begin++].ngrams, scores.back());
    }
  }
  return scores;
}

std::vector<double> probabilities(const std::vector<float>& scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  std::vector<double> shares;
  for (const float score : scores) shares.push_back(std::exp(score - most));
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace malssi
