// What this machine can do at most: matrix products and memory. Training is bound by the first, writing one token after
// another by the second, so these are what other speeds are measured against.
#pragma once

#include <cstdint>
#include <string>

namespace malssi {

struct MachineSpeed {
  std::string processor;     // as the system names it
  std::string instructions;  // what matrix products run on
  int64_t threads = 0;
  int64_t memory_bytes = 0;  // of the machine
  double f32_flops = 0;      // a second, in products, on all threads
  double bf16_flops = 0;     // 0: the processor has no bf16 products
  double read_bytes = 0;     // a second, from memory far larger than the caches, on all threads
  double triad_bytes = 0;    // a second, reading two arrays and writing a third
};

struct MachineOptions {
  int64_t memory_bytes = int64_t{1} << 30;  // read and written; less is taken where little is free
  int rounds = 4;                           // of which the best counts
};

// Takes about two seconds.
MachineSpeed measure_machine(const MachineOptions& options = {});

}  // namespace malssi
