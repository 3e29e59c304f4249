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
// Gives kept blocks back to the system.
void pool_trim();

}  // namespace malssi
