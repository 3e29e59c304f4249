// Weights under their published names.
#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "models/model.h"

namespace malssi {
namespace {

// [rows, columns] -> [columns, rows], f32.
Tensor transposed(const Tensor& x) {
  const int64_t rows = x.dim(0), columns = x.dim(1);
  Tensor y = Tensor::empty({columns, rows});
  const float* const from = x.f32();
  float* const to = y.f32();
  constexpr int64_t kTile = 32;  // a tile of both sides stays in the cache
  parallel_for((columns + kTile - 1) / kTile, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin * kTile; tile < std::min(end * kTile, columns); tile += kTile)
      for (int64_t r0 = 0; r0 < rows; r0 += kTile)
        for (int64_t c = tile; c < std::min(tile + kTile, columns); ++c)
          for (int64_t r = r0; r < std::min(r0 + kTile, rows); ++r)
            to[c * rows + r] = from[r * columns + c];
  });
  return y;
}

Tensor shifted(const Tensor& x, float by) {
  const Tensor y = x.to(DType::f32).clone();
  for (int64_t i = 0; i < y.size(); ++i) y.f32()[i] += by;
  return y;
}

}  // namespace

std::vector<NamedTensor> export_weights(Model& model) {
  std::vector<NamedTensor> weights;
  model.visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      const Tensor rows = p.value->rows(part.begin, part.end).to(DType::f32);
      weights.push_back({part.name, part.transposed   ? transposed(rows)
                                    : part.added != 0 ? shifted(rows, -part.added)
                                                      : rows});
    }
  });
  if (model.config().family == "gpt2" &&
      !model.config().bias) {  // other programs expect GPT-2's biases: zeros
    std::vector<NamedTensor> biases;
    for (const NamedTensor& w : weights) {
      const size_t end = w.name.rfind(".weight");
      const bool is_table = w.name.find(".wte.") != std::string::npos ||
                            w.name.find(".wpe.") != std::string::npos || w.name == "lm_head.weight";
      if (end == std::string::npos || is_table) continue;
      biases.push_back({w.name.substr(0, end) + ".bias", Tensor::zeros({w.value.dim(-1)})});
    }
    weights.insert(weights.end(), biases.begin(), biases.end());
  }
  return weights;
}

namespace {

using Find = std::function<Tensor(const std::string& name)>;

// The part's numbers as its file has them; Error where they are missing or of another shape.
Tensor find_part(const Model& model, const Parameter& p, const WeightPart& part, const Find& find) {
  const Tensor source = find(part.name);
  REQUIRE(source.defined(), "weights: there is no tensor \"", part.name,
          "\"; the file does not hold a whole ", model.config().family,
          " model as its config.json describes it");
  const Shape& whole = p.value->shape();
  const Shape rows =
      whole.rank() == 1 ? Shape{part.end - part.begin} : Shape{part.end - part.begin, whole[-1]};
  const Shape expected = part.transposed ? Shape{rows[1], rows[0]} : rows;
  REQUIRE(source.shape() == expected, "weights: \"", part.name, "\" is ", source.shape(),
          "; config.json makes it ", expected);
  return source;
}

Tensor pack(const WeightPart& part, const Tensor& source, DType format) {
  try {
    return (part.transposed ? transposed(source.to(DType::f32)) : source).packed(format);
  } catch (const Error& error) {
    throw Error(concat("weights: \"", part.name, "\": ", error.what()));
  }
}

// Keeps dense matrices in a block format.
bool hold_packed(const Parameter& p, const std::vector<Tensor>& sources, DType format) {
  if (p.held == nullptr || is_block_format(sources.front().dtype())) return false;
  p.held->clear();
  for (size_t i = 0; i < sources.size(); ++i)
    p.held->push_back(pack(p.parts[i], sources[i], format));
  return true;
}

// Keeps what the file holds, where the layer can compute with it; block formats rearranged.
bool hold(const Parameter& p, const std::vector<Tensor>& sources) {
  for (const WeightPart& part : p.parts)
    if (part.transposed || part.added != 0) return false;
  if (p.held != nullptr) {
    p.held->clear();
    for (const Tensor& source : sources) p.held->push_back(source.in_panels());
    return true;
  }
  if (p.kind != ParameterKind::embedding || sources.size() != 1) return false;
  *p.value = sources.front();
  if (p.product != nullptr) *p.product = sources.front().in_panels();
  return true;
}

// Into memory of the model's own.
void copy_in(const Parameter& p, const std::vector<Tensor>& sources) {
  if (!p.value->defined()) {
    Tensor memory = Tensor::empty(p.value->shape(), p.value->dtype());
    memory.set_slot(p.value->slot());
    *p.value = memory;
  }
  for (size_t i = 0; i < sources.size(); ++i) {
    const WeightPart& part = p.parts[i];
    p.value->rows(part.begin, part.end)
        .copy_from(part.transposed   ? transposed(sources[i].to(DType::f32))
                   : part.added != 0 ? shifted(sources[i], part.added)
                                     : sources[i]);
    sources[i].give_pages_back();  // so that memory holds the model once
  }
}

// take: keeps a parameter's numbers as they are found, where it can and may.
using Take = std::function<bool(const Parameter& p, const std::vector<Tensor>& sources)>;

void import_all(Model& model, const Find& find, const Take& take) {
  model.visit([&](const Parameter& p) {
    std::vector<Tensor> sources;
    for (const WeightPart& part : p.parts) sources.push_back(find_part(model, p, part, find));
    if (!take(p, sources)) copy_in(p, sources);
  });
}

}  // namespace

void import_weights(Model& model, const Find& find, ImportMode mode) {
  import_all(model, find, [&](const Parameter& p, const std::vector<Tensor>& sources) {
    return mode == ImportMode::hold && hold(p, sources);
  });
}

void import_packed_weights(Model& model, const Find& find, DType packed) {
  import_all(model, find, [&](const Parameter& p, const std::vector<Tensor>& sources) {
    if (hold_packed(p, sources, packed)) return true;
    const DType dtype = sources.front().dtype();
    return (is_block_format(dtype) || dtype == p.value->dtype()) && hold(p, sources);
  });
}

}  // namespace malssi
