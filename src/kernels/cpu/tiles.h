// The tile registers' configuration, while block products of bf16 are made on this thread.
#pragma once

#include "kernels/cpu/features.h"
#include "kernels/cpu/native_bf16.h"

namespace malssi {

struct Tiles {
  explicit Tiles(bool used) : used_(used && cpu_features().amx_bf16) {
    if (used_) begin_tiles();
  }
  ~Tiles() {
    if (used_) end_tiles();
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  bool used_;
};

}  // namespace malssi
