#include "tensor/pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/heap.h"

namespace malssi {
namespace {

constexpr int64_t kSmallest = 64;
constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int kClasses = 4 * 48;

// Size classes: 64, 80, 96, 112, 128, 160, ...
int class_of(int64_t bytes) {
  if (bytes <= kSmallest) return 0;
  const auto last = static_cast<uint64_t>(bytes - 1);
  const int power = std::bit_width(last) - 1;                        // 2^power <= last
  const int quarter = static_cast<int>((last >> (power - 2)) & 3u);  // which quarter of the octave
  return (power - 6) * 4 + quarter + 1;
}

int64_t class_size(int index) {
  const int64_t base = kSmallest << (index / 4);
  return base + base / 4 * (index % 4);
}

// Huge pages make large products a little faster, but where memory is in small pieces the system first makes room for each,
// which can take longer than reading a model. So the first page of every block is made here and timed; once
// such delays have added up, small pages do.
class HugePages {
 public:
  bool scarce() const { return delay_.load(std::memory_order_relaxed) > kPatience; }

  void ask(void* block, int64_t bytes) {
    if (madvise(block, static_cast<size_t>(bytes), MADV_HUGEPAGE) != 0) return;
    const auto begin = std::chrono::steady_clock::now();
    *static_cast<volatile char*>(block) = 0;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (took.count() > kUsual) delay_.fetch_add(took.count(), std::memory_order_relaxed);
  }

 private:
  static constexpr double kUsual = 0.5e-3;  // seconds; a page at hand takes some 0.1
  static constexpr double kPatience = 10e-3;
  std::atomic<double> delay_ = 0;
};

HugePages& huge_pages() {
  static HugePages pages;
  return pages;
}

int64_t whole_pages(int64_t bytes) {
  constexpr int64_t kPage = 4096;
  return (bytes + kPage - 1) / kPage * kPage;
}

// Blocks from here on come straight from the system: among malloc()'s they would break up the room that oneDNN takes and gives
// back with every product, which malloc() would then have to take anew, and keep.
constexpr int64_t kOwnPages = int64_t{32} << 10;

void* map(size_t bytes) {
  void* const mapped =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

// Large ones begin where a huge page may.
void* map_pages(int64_t bytes) {
  constexpr auto kHuge = static_cast<size_t>(kHugePage);
  const auto size = static_cast<size_t>(bytes);
  if (bytes < kHugePage) return map(size);
  auto* const begin = static_cast<char*>(map(size + kHuge));
  if (begin == nullptr) return nullptr;
  const size_t past = reinterpret_cast<uintptr_t>(begin) % kHuge, before = kHuge - past;
  munmap(begin, before);
  if (past > 0) munmap(begin + before + size, past);
  return begin + before;
}

void* system_allocate(int64_t bytes) {
  void* block = bytes < kOwnPages
                    ? std::aligned_alloc(64, static_cast<size_t>((bytes + 63) / 64 * 64))
                    : map_pages(whole_pages(bytes));
  REQUIRE(block != nullptr, "memory: the system has no ", bytes >> 20,
          " MiB left; use a smaller model, batch or context, or close other programs");
  if (bytes >= kHugePage && !huge_pages().scarce()) huge_pages().ask(block, bytes);
  return block;
}

void system_free(void* block, int64_t bytes) {
  if (bytes < kOwnPages)
    std::free(block);
  else
    munmap(block, static_cast<size_t>(whole_pages(bytes)));
}

struct Pool {
  std::mutex mutex;
  std::array<std::vector<void*>, kClasses> kept;
  PoolUse use;
};

Pool& pool() {
  static Pool* instance = new Pool;  // outlives every tensor with static storage
  return *instance;
}

}  // namespace

void* pool_allocate(int64_t bytes) {
  CHECK(bytes >= 0);
  const int index = class_of(bytes);
  REQUIRE(index < kClasses, "memory: a block of ", bytes,
          " bytes was asked for, more than any machine has");
  const int64_t size = class_size(index);
  Pool& p = pool();
  {
    std::lock_guard lock(p.mutex);
    auto& kept = p.kept[static_cast<size_t>(index)];
    p.use.in_use += size;
    if (!kept.empty()) {
      void* block = kept.back();
      kept.pop_back();
      return block;
    }
    p.use.reserved += size;
  }
  try {
    return system_allocate(size);
  } catch (const Error&) {
    std::lock_guard lock(p.mutex);
    p.use.in_use -= size;
    p.use.reserved -= size;
    throw;
  }
}

void* lasting_allocate(int64_t bytes) {
  CHECK(bytes >= 0);
  return system_allocate(std::max(bytes, kSmallest));
}

void lasting_free(void* block, int64_t bytes) { system_free(block, std::max(bytes, kSmallest)); }

void pool_free(void* block, int64_t bytes) {
  const int index = class_of(bytes);
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  p.use.in_use -= class_size(index);
  p.kept[static_cast<size_t>(index)].push_back(block);
}

PoolUse pool_use() {
  std::lock_guard lock(pool().mutex);
  return pool().use;
}

void pool_trim() {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  for (int index = 0; index < kClasses; ++index) {
    auto& kept = p.kept[static_cast<size_t>(index)];
    for (void* block : kept) system_free(block, class_size(index));
    p.use.reserved -= class_size(index) * static_cast<int64_t>(kept.size());
    kept.clear();
  }
  trim_heap();
}

}  // namespace malssi
