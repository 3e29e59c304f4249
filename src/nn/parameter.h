// Parameter: a model's weight as the optimiser, the checkpoint and the converters see it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/changes.h"
#include "nn/low_rank.h"
#include "tensor/tensor.h"

namespace malssi {

// A weight's part under its published names: rows begin .. end - 1 of the tensor.
struct WeightPart {
  std::string name;  // Hugging Face's
  int64_t begin = 0;
  int64_t end = 0;
  bool transposed = false;  // in Hugging Face's files
  float added = 0;          // what this program adds to the numbers of Hugging Face's files
  std::string gguf = {};    // GGUF's name; empty where GGUF has none
  // Above 0: GGUF orders the rows of each of so many heads as rotary pairs, 0, half, 1, half + 1, ...
  int64_t interleaved_heads = 0;
  int64_t expert =
      -1;  // 0 or more: the part is this matrix of GGUF's stacked tensor [experts, rows, columns]
};

enum class ParameterKind { matrix, embedding, norm, bias };

struct Parameter {
  std::string
      name;  // unique within the model, the same in every family: "layers.3.attn.qkv.weight"
  Tensor* value = nullptr;
  ParameterKind kind = ParameterKind::matrix;
  std::vector<WeightPart> parts;  // how files name it; q, k and v of one matrix, for example
  // Where a matrix may be held in its files' own dtypes, one tensor for each part (see Linear); null: it may not.
  std::vector<Tensor>* held = nullptr;
  // What low-rank adapters add to a linear layer's products; null: nothing can be added.
  std::vector<LowRank>* low_ranks = nullptr;
  // Of a table that is the output layer, too: where its held numbers go rearranged for products; null: it does not multiply.
  Tensor* product = nullptr;
  // What other adapters change about a linear layer, and about a norm (whose bias this is, maybe undefined).
  LinearChanges* changes = nullptr;
  std::vector<NormChange>* norm_changes = nullptr;
  Tensor* norm_bias = nullptr;

  // Weight decay acts on matrices and embeddings, not on norms and biases.
  bool decays() const { return kind == ParameterKind::matrix || kind == ParameterKind::embedding; }
};

}  // namespace malssi
