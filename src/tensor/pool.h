// Memory for tensors: 64-byte aligned blocks in size classes (four per power of two), kept for
// reuse after they are freed, so that a steady training step asks the system for nothing.
// Thread-safe.
#pragma once

#include <cstdint>

namespace malssi {

struct PoolUse {
  int64_t in_use = 0;    // bytes of blocks handed out
  int64_t reserved = 0;  // bytes asked from the system, in use or kept
};

// Throws Error when the system has no more memory. bytes >= 0.
void* pool_allocate(int64_t bytes);
void pool_free(void* block, int64_t bytes);
PoolUse pool_use();
// The same for what stays as long as a model: of its own size, not of a class, and given back when it is freed.
void* lasting_allocate(int64_t bytes);
void lasting_free(void* block, int64_t bytes);
// Gives kept blocks back to the system, and what else malloc() has to spare.
void pool_trim();

}  // namespace malssi
