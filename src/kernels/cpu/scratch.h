// Scratch: short-lived work memory of one thread. Blocks are kept by the thread for the next call.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace malssi {

class Scratch {
 public:
  Scratch() : first_(kept().used) {}
  ~Scratch() { kept().used = first_; }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Room for n numbers, 64-byte aligned, contents undefined; valid while this Scratch lives, to
  // which later ones of the same thread nest.
  template <class T>
  T* take(int64_t n) {
    Kept& mine = kept();
    if (mine.used == mine.blocks.size()) mine.blocks.emplace_back();
    Block& block = mine.blocks[mine.used++];
    const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
    if (block.bytes < bytes) {
      block.memory.reset();
      block.memory = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(bytes) + 64);
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
  struct Kept {
    std::vector<Block> blocks;
    size_t used = 0;
  };
  static Kept& kept() {
    thread_local Kept mine;
    return mine;
  }
  size_t first_;
};

}  // namespace malssi
