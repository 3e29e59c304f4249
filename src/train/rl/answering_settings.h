// What asking a model many prompts asks for, beside training: how answers are drawn, and by what means.
#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"

namespace malssi {

// The last part of [best_of] and [behaviour].
struct AnsweringSettings {
  int64_t seed = 1337, threads = 0, lanes = 64;
  std::string compute = "auto";

 protected:
  template <class V>
  void visit_answering(V& v) {
    v("seed", seed, "seed of the draws", at_least(0));
    v("threads", threads, "threads; 0 = one for each core", at_least(0));
    v("lanes", lanes, "answers that grow at a time", at_least(1));
    v("compute", compute, "number format of the products; auto = bf16 where the machine has it",
      one_of({"auto", "f32", "bf16"}));
  }
};

}  // namespace malssi
