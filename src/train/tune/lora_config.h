// Everything that training a low-rank adapter can be told: the keys of RUN/config.toml and the flags of
// `malssi tune lora`. Names and meanings of [lora] are PEFT's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/dtype.h"
#include "models/adapter.h"
#include "train/tune/sft_config.h"

namespace malssi {

// What dense weights become while they load; none: they stay as the file has them.
struct PackedTypes {
  std::optional<DType> matrices = {};
  std::optional<DType> tables = {};  // the embedding and the output layer, where the matrices are
};

// [lora]
struct LoraSettings {
  int64_t rank = 8;
  double alpha = 16;
  std::string targets = "q_proj,v_proj";
  double dropout = 0.0;
  bool rslora = false;
  bool dora = false;
  std::string init = "zero";
  std::string base_type = "auto";
  std::string base_tables = "auto";

  template <class V>
  void visit(V& v) {
    v("rank", rank, "rows of A, columns of B", at_least(1), at_most(65536));
    v("alpha", alpha, "B A counts alpha / rank times", above(0));
    v("targets", targets,
      "the matrices that are adapted: ends of names (q_proj,v_proj), an expression for whole "
      "names, "
      "or all-linear",
      not_empty());
    v("dropout", dropout, "part of an adapted matrix's inputs that A does not see in training",
      between(0, 0.95));
    v("rslora", rslora, "alpha / sqrt(rank) in place of alpha / rank (Kalajdzievski 2023)");
    v("dora", dora, "train the length of each adapted matrix's rows, too (DoRA: Liu et al. 2024)");
    v("init", init,
      "what B A begins as: zero, or pissa = the part of the matrix that its largest singular "
      "values make, which the base then lacks (Meng et al. 2024)",
      one_of({"zero", "pissa"}));
    v("base_type", base_type,
      "what the frozen matrices are kept as: nf4 (QLoRA), q4_k or q8_0, packed while they load; "
      "auto = as the file has them",
      one_of({"auto", "nf4", "q4_k", "q8_0"}));
    v("base_tables", base_tables,
      "the same for the embedding and the output layer of a base that is packed; auto = as its "
      "matrices, file = as the file has them",
      one_of({"auto", "file", "nf4", "q4_k", "q8_0"}));
  }
  double scale() const;
  LowRankStart start() const;
  // What the base's matrices, and its tables of the vocabulary, are packed as; none: they stay.
  PackedTypes packed() const;
};

struct LoraConfig {
  LoraSettings lora;
  ConversationSettings sft;
  OptimSettings optim;
  TrainSettings train;
  LogSettings log;

  LoraConfig() { suit_tuning(optim, train); }

  template <class V>
  void visit(V& v) {
    v("lora", lora);
    v("sft", sft);
    v("optim", optim);
    v("train", train);
    v("log", log);
  }
  // Rules that span fields; throws Error.
  void check() const;
};

}  // namespace malssi
