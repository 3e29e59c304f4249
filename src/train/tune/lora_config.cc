#include "train/tune/lora_config.h"

#include <cmath>

namespace malssi {

double LoraSettings::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

LowRankStart LoraSettings::start() const {
  return init == "pissa" ? LowRankStart::principal : LowRankStart::zero;
}

namespace {

// None: it names no block format.
std::optional<DType> block_format(std::string_view name) {
  for (const DType dtype : {DType::nf4, DType::q4_k, DType::q8_0})
    if (name == dtype_name(dtype)) return dtype;
  return {};
}

}  // namespace

PackedTypes LoraSettings::packed() const {
  return {.matrices = block_format(base_type),
          .tables = block_format(base_tables == "auto" ? base_type : base_tables)};
}

void LoraConfig::check() const {
  optim.check();
  sft.check(train);
}

}  // namespace malssi
