// A model under a task head: of each sequence the scores of some labels, or numbers (regression). So transformers publishes
// them, as "...ForSequenceClassification": decoders score their last token ("score.weight"); BERT its first token behind a
// pooler and tanh, RoBERTa behind "classifier.dense" and tanh, DistilBERT behind "pre_classifier" and relu.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "models/model.h"

namespace malssi {

// What the head looks at: the token that transformers' heads look at, or the mean of all tokens, which config.json then says as
// "classifier_pooling": "mean", ModernBERT's key; programs that do not know it for the family look at that token all the same.
enum class LabelPooling { one_token, mean };

// Beside the head, a table may score the n-grams of a text (infer/ngrams.h), hashed into its rows.
enum class NgramKind { none, words, characters };

struct NgramTable {
  NgramKind kind = NgramKind::none;
  int64_t longest = 0;  // words or characters of an n-gram
  int64_t buckets = 0;  // rows

  bool operator==(const NgramTable&) const = default;
};

struct Labels {
  std::vector<std::string> names;  // of classes; of regression, what the numbers are
  bool is_regression = false;
  LabelPooling pooling = LabelPooling::one_token;
  NgramTable ngrams = {};

  int64_t size() const { return static_cast<int64_t>(names.size()); }
  bool operator==(const Labels&) const = default;
};

// The model under a head for these labels, drawn with `seed`, or of zeros where a table of n-grams begins to speak; the body keeps
// its weights. A decoder's output layer of its own is no parameter any more; head() is still what it was.
std::unique_ptr<Model> with_classifier(std::unique_ptr<Model> body, const Labels& labels,
                                       uint64_t seed);

// Null where the model has no such head.
const Labels* labels_of(const Model& model);

// The head's scores [S, labels] of sequences in f32, before any softmax. hidden [N, width]: of model.hidden(). starts: begins of
// the sequences, then N. dropout_seed: 0 switches dropout off. The model has a classifier: CHECK.
Tensor label_scores(const Model& model, const Tensor& hidden, std::span<const int32_t> starts,
                    uint64_t dropout_seed = 0);

// The table of n-grams [buckets, labels] in f32, or an undefined tensor: no weight that learns.
Tensor ngram_table(const Model& model);
// Adds to a text's scores [labels] the rows of its n-grams' buckets, which are none where the model has no table.
void add_ngram_scores(const Model& model, std::span<const int64_t> buckets,
                      std::span<float> scores);

// What a Hugging Face config.json says: nothing where it describes no classifier, or a reward model (models/value_head.h).
// Throws Error naming `where`.
std::optional<Labels> labels_from_hf(const Json& json, std::string_view where);
// Says so in a config.json that describes the body.
void put_labels(const Model& model, Json& json);

}  // namespace malssi
