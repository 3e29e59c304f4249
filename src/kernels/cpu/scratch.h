// Scratch: short-lived work memory of one thread. Blocks are kept by the thread for the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace malssi {

class Scratch {
 public:
  // Room for n numbers, 64-byte aligned, contents undefined; valid while this Scratch lives. One
  // Scratch at a time a thread.
  template <class T>
  T* take(int64_t n) {
    std::vector<Block>& blocks = kept();
    if (next_ == blocks.size()) blocks.emplace_back();
    Block& block = blocks[next_++];
    const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
    if (block.bytes < bytes) {
      block.memory = std::make_unique<char[]>(static_cast<size_t>(bytes) + 64);
      block.bytes = bytes;
    }
    const auto address = reinterpret_cast<uintptr_t>(block.memory.get());
    return reinterpret_cast<T*>((address + 63) / 64 * 64);
  }

 private:
  struct Block {
    std::unique_ptr<char[]> memory;
    int64_t bytes = 0;
  };
  static std::vector<Block>& kept() {
    thread_local std::vector<Block> blocks;
    return blocks;
  }
  size_t next_ = 0;
};

}  // namespace malssi
