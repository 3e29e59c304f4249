// Everything that training a task head can be told: the keys of RUN/config.toml and the flags of `malssi tune classify`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "train/run/settings.h"

namespace malssi {

// [classify]
struct ClassifySettings {
  std::string model = "";
  std::vector<std::string> data = {};
  std::string val = "";
  double val_fraction = 0.1;
  std::string task = "classes";
  std::string text_column = "text";
  std::string label_column = "label";
  std::string pooling = "token";
  std::string class_weights = "none";
  double epochs = 3;
  int64_t context = 0;
  double dropout = 0.1;
  double token_dropout = 0;
  double lm_weight = 0;
  std::string ngrams = "none";
  int64_t ngram_longest = 0;
  int64_t ngram_buckets = 1 << 20;
  double confidence = 0;
  bool skip_invalid = false;

  bool is_regression() const { return task == "regression"; }

  template <class V>
  void visit(V& v) {
    v("model", model,
      "the model that gets the head: a Hugging Face folder, or the folder of a run");
    v("data", data,
      "labelled texts: JSON Lines, a JSON array, .csv or .tsv, also .gz; FILE:WEIGHT mixes "
      "several");
    v("val", val, "labelled texts to validate on; empty = a part of the data");
    v("val_fraction", val_fraction, "the part of the data held out for validation",
      between(0, 0.5));
    v("task", task, "labels are classes, or numbers", one_of({"classes", "regression"}));
    v("text_column", text_column, "the column or key of the text", not_empty());
    v("label_column", label_column, "the column or key of the label", not_empty());
    v("pooling", pooling,
      "what the head looks at: a decoder's last token (an encoder's first), or the mean of all "
      "tokens, which often does better where labelled texts are few",
      one_of({"token", "mean"}));
    v("class_weights", class_weights, "balanced: rare classes weigh as much as common ones",
      one_of({"none", "balanced"}));
    v("epochs", epochs, "times through the data, unless train.steps is given", above(0));
    v("context", context, "tokens of a text, longer ones are cut; 0 = as many as the model takes",
      at_least(0));
    v("dropout", dropout, "part of the activations dropped while training", between(0, 0.95));
    v("token_dropout", token_dropout,
      "part of a text's tokens left out, others each time, while training", between(0, 0.95));
    v("lm_weight", lm_weight,
      "decoders: weight of the loss of predicting the text itself, beside the label's",
      at_least(0));
    v("ngrams", ngrams,
      "also count the texts' words (or characters) and their runs, and add what they say of the "
      "labels (naive Bayes) to the head's scores: better where labelled texts are few",
      one_of({"none", "words", "characters"}));
    v("ngram_longest", ngram_longest, "words or characters in a run; 0 = 2 words, 4 characters",
      between(0, 16));
    v("ngram_buckets", ngram_buckets, "rows of the table that runs are hashed into", at_least(1));
    v("confidence", confidence,
      "for labels that may be wrong: the part of the loss that takes the model's own choice as the "
      "label, from 0 at first to this after a fifth of the steps",
      between(0, 0.95));
    v("skip_invalid", skip_invalid, "leave out malformed records instead of stopping");
  }
};

struct ClassifyConfig {
  ClassifySettings classify;
  OptimSettings optim;
  TrainSettings train;  // its rows are texts
  LogSettings log;

  ClassifyConfig();

  template <class V>
  void visit(V& v) {
    v("classify", classify);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
