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

std::optional<DType> LoraSettings::packed_type() const {
  for (const DType dtype : {DType::nf4, DType::q4_k, DType::q8_0})
    if (base_type == dtype_name(dtype)) return dtype;
  return {};
}

void LoraConfig::check() const {
  optim.check();
  sft.check(train);
}

}  // namespace malssi
