// Adapters of other methods than LoRA as training begins with them: they change nothing yet, virtual tokens aside.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "models/adapter.h"

namespace malssi {

using IsTarget = std::function<bool(const std::string& module)>;

// IA3 (Liu et al. 2022): ones. Without targets: keys, values and the inputs of the MLP's last matrix, as PEFT has it for these
// families. is_inner: of which targets the inputs are scaled. Error: no matrix is a target.
Adapter make_ia3(Model& model, const IsTarget& is_target = {}, const IsTarget& is_inner = {});

// The norms' own weights. Without targets: all norms but those of queries and keys. Error: no norm is a target.
Adapter make_norms(Model& model, const IsTarget& is_target = {});

struct FreshBottleneck {
  int64_t inner = 64;
  bool after_attention = true, after_mlp = true;  // Houlsby: both; Pfeiffer: the MLP alone
  BottleneckActivation activation = BottleneckActivation::relu;
  float scale = 1;
  uint64_t seed = 1;
};
// Down uniform within 1 / sqrt(width), up zero.
Adapter make_bottlenecks(Model& model, const FreshBottleneck& fresh);

// Embeddings of these tokens, again and again until there are `count` (Lester et al. 2021); without any, of tokens drawn.
Adapter make_prompt(Model& model, int64_t count, std::span<const int32_t> ids, uint64_t seed);
// Keys and values from N(0, 0.02) (Li, Liang 2021, without their network).
Adapter make_prefix(Model& model, int64_t count, uint64_t seed);

}  // namespace malssi
