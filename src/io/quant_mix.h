// Which format each tensor of a quantised file takes: one format for all, or a mix that spends more bits where they matter
// most, by llama.cpp's names and rules ("Q4_K_M": attention values and the MLP's way down of some layers in Q6_K, ...).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/gguf_model.h"

namespace malssi {

struct QuantMix {
  std::string_view name;
  DType dtype;        // of most matrices
  int64_t file_type;  // llama.cpp's number for the mix
};

// By name, in any case: "q4_k_m", "Q8_0", "f16". Error: an unknown one, with the known ones.
const QuantMix& quant_mix(std::string_view name);
std::vector<std::string> quant_mix_names();

// The dtype of each tensor of the plan; some rules differ with an importance matrix.
enum class HasImportance { no, yes };
std::vector<DType> choose_dtypes(const QuantMix& mix, const GgufPlan& plan,
                                 HasImportance has_importance);

}  // namespace malssi
