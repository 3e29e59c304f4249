#include "train/tune/lora_config.h"

#include <cmath>

namespace malssi {

double LoraSettings::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

void LoraConfig::check() const {
  optim.check();
  sft.check(train);
}

}  // namespace malssi
