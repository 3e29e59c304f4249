// The layers that models are made of. A layer owns its weights and walks over them for optimisers and files.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "nn/changes.h"
#include "nn/parameter.h"
#include "ops/activation.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/norm.h"
#include "ops/residual.h"

namespace malssi {

using ParameterVisitor = std::function<void(const Parameter&)>;

// Published names of a layer's weights: "{prefix}.weight" and "{prefix}.bias" of each of its parts, in both spellings; the rest as
// WeightPart has it.
struct PublishedPart {
  std::string prefix;
  int64_t rows = 0;
  std::string gguf = {};
  int64_t interleaved_heads = 0;
  int64_t expert = -1;
};

// y = x w^T + b. Several published matrices may lie in one, row after row (q, k and v).
struct Linear {
  Linear() = default;
  // w ~ N(0, deviation), drawn in f32 and kept in dtype; undefined without an rng.
  Linear(Rng* rng, int64_t inputs, int64_t outputs, double deviation, DType dtype, bool with_bias);

  // adapters: which rows of x use which of low_ranks. out: see LinearOptions.
  Tensor operator()(const Tensor& x, const AdapterRows& adapters,
                    std::optional<DType> out = {}) const;
  // transposed: files hold [inputs, outputs]. A layer without a bias shows none.
  void visit(const std::string& name, const std::vector<PublishedPart>& parts,
             const ParameterVisitor& visitor, bool transposed = false);

  Tensor weight;              // [outputs, inputs]; only a shape where `parts` hold the numbers
  std::vector<Tensor> parts;  // rows as a file holds them, of any dtype: for inference
  Tensor bias;                // f32 [outputs], or undefined
  std::vector<LowRank> low_ranks;
  LinearChanges changes;

 private:
  // The rows of the weight that a term acts on.
  Tensor weight_of(const LowRank& term) const;
};

enum class NormKind { rms, layer };

// A norm with f32 weights; its result is in the dtype that the products after it want.
struct Norm {
  Norm() = default;
  Norm(NormKind kind, int64_t width, double eps, DType out, bool with_bias);

  // adapters: which rows of x use which of changes.
  Tensor operator()(const Tensor& x, const AdapterRows& adapters = {}) const;
  // added: see WeightPart.
  void visit(const std::string& name, const PublishedPart& published,
             const ParameterVisitor& visitor, float added = 0);

  NormKind kind = NormKind::rms;
  float eps = 1e-5f;
  DType out = DType::f32;
  Tensor weight;  // [width]
  Tensor bias;    // [width], or undefined
  std::vector<NormChange> changes;
};

// A table that wants gradients, drawn from N(0, deviation); undefined without an rng.
Tensor random_table(Rng* rng, int64_t rows, int64_t width, double deviation, DType dtype);

}  // namespace malssi
