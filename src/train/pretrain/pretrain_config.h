// Everything that a pretraining run can be told: the keys of a recipe (recipes/*.toml), of
// RUN/config.toml, and the flags of `malssi pretrain`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "models/model.h"
#include "train/run/settings.h"

namespace malssi {

// [model]; zeros are filled in by the family's rules (models/model.h).
struct ModelSettings {
  std::string from = "";
  std::string family = "llama";
  int64_t layers = 4;
  int64_t heads = 4;
  int64_t kv_heads = 0;
  int64_t width = 128;
  int64_t head_dim = 0;
  int64_t hidden = 0;
  int64_t context = 256;
  bool tied = true;
  bool bias = false;
  double dropout = 0.0;
  std::string activation = "";
  double norm_eps = 1e-5;
  double rope_theta = 10000;

  template <class V>
  void visit(V& v) {
    v("from", from,
      "go on from this model, with its shape and its tokenizer: a Hugging Face folder, or the "
      "folder of a run; of the settings here context and dropout alone hold, and a longer context "
      "than the model's becomes its own; empty = from scratch");
    v("family", family, "architecture", one_of({"gpt2", "llama"}));
    v("layers", layers, "blocks", at_least(1));
    v("heads", heads, "attention heads", at_least(1));
    v("kv_heads", kv_heads, "llama: heads of keys and values; 0 = as many as heads", at_least(0));
    v("width", width, "numbers that stand for a token between blocks", at_least(1));
    v("head_dim", head_dim, "width of a head; 0 = width / heads", at_least(0));
    v("hidden", hidden, "width inside the MLP; 0 = the family's usual", at_least(0));
    v("context", context, "tokens the model sees at once", at_least(1));
    v("tied", tied, "the output layer shares the embedding's weights");
    v("bias", bias, "biases in linear layers (gpt2: in norms as well)");
    v("dropout", dropout, "part of the activations dropped while training", between(0, 0.95));
    v("activation", activation, "gpt2: gelu or gelu_new; empty = the family's usual",
      one_of({"", "gelu", "gelu_new", "silu"}));
    v("norm_eps", norm_eps, "added to the variance in norms", above(0));
    v("rope_theta", rope_theta, "llama: base of the rotary angles", above(1));
  }
};

// [tokenizer]
struct TokenizerSettings {
  std::string kind = "bpe";
  std::string path = "";
  int64_t vocab_size = 8192;
  std::string pattern = "llama3";
  int64_t min_frequency = 2;
  bool chat_tokens = true;

  template <class V>
  void visit(V& v) {
    v("kind", kind, "what a token is: bpe, trained on the data; one character; one byte",
      one_of({"bpe", "char", "byte"}));
    v("path", path, "an existing tokenizer.json, or a folder with one, instead");
    v("vocab_size", vocab_size, "bpe: tokens, special ones included", at_least(257));
    v("pattern", pattern, "bpe: how text is split first: gpt2, llama3 or a regular expression");
    v("min_frequency", min_frequency, "bpe: rarer pairs are not merged", at_least(1));
    v("chat_tokens", chat_tokens, "reserve the special tokens of chats (not for char)");
  }
};

// [data]
struct DataSettings {
  std::vector<std::string> paths = {};
  std::vector<std::string> val = {};
  double val_fraction = 0.1;
  std::string field = "text";
  bool cross_documents = false;
  std::string mode = "random";
  std::string cache = "";

  template <class V>
  void visit(V& v) {
    v("paths", paths, "text files, folders, JSON Lines (flag: --data)");
    v("val", val, "separate validation files; empty = the last part of the data");
    v("val_fraction", val_fraction, "the part of the data held out for validation",
      between(0, 0.5));
    v("field", field, "JSON: the key whose string is the text");
    v("cross_documents", cross_documents, "let attention cross from document to document");
    v("mode", mode, "windows at random places, or every token once an epoch",
      one_of({"random", "epoch"}));
    v("cache", cache, "where token shards are kept; empty = the user's cache folder");
  }
};

struct PretrainConfig {
  ModelSettings model;
  TokenizerSettings tokenizer;
  DataSettings data;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;

  template <class V>
  void visit(V& v) {
    v("model", model);
    v("tokenizer", tokenizer);
    v("data", data);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

// The model that a recipe and its tokenizer's vocabulary make. Throws Error when the shapes cannot
// work.
ModelConfig model_config(const ModelSettings& settings, int64_t vocab);

}  // namespace malssi
