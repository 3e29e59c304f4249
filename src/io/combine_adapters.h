// Several adapters of one base as one PEFT folder.
#pragma once

#include <vector>

#include "io/adapter_file.h"

namespace malssi {

struct WeighedAdapter {
  fs::path path;
  double weight = 1;
};

// averaging: each number the mean of theirs, with weights brought to a sum of 1. stacking: LoRA's A and B put side by side, so that
// the products add up, each times its weight (Wortsman et al. 2022 average; PEFT's "cat" stacks).
enum class CombineBy { averaging, stacking };

// Error: fewer than two; of different kinds or for other matrices; ranks or scales that differ where they are averaged; DoRA or
// other kinds than LoRA where they are stacked; a folder that exists and holds something else.
void combine_adapters(const std::vector<WeighedAdapter>& adapters, CombineBy by,
                      const fs::path& folder);

}  // namespace malssi
