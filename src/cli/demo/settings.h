// How large the demo's world and model are, and how long it trains: two sizes, both measured in
// docs/BENCHMARKS.md.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "data/world/write.h"
#include "train/align/align_config.h"
#include "train/pretrain/pretrain_config.h"
#include "train/rl/grpo_config.h"
#include "train/rl/ppo_config.h"
#include "train/tune/lora_config.h"
#include "train/tune/sft_config.h"

namespace malssi::demo {

enum class Size { usual, quick };

struct Settings {
  world::WriteOptions world;
  int64_t vocabulary = 1400;
  PretrainConfig base;  // paths are filled in by the stages
  SftConfig tuned;
  SftConfig manners, thinking, tales;
  AlignConfig reward{"reward"}, dpo{"dpo"};
  PpoConfig ppo;
  GrpoConfig grpo;
  LoraConfig voice;
  int64_t answer_tokens = 72;

  Json to_json() const;  // everything that the result depends on
};

Settings settings_of(Size size, int64_t seed);

}  // namespace malssi::demo
