#include "base/parallel.h"

#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"

namespace malssi {
namespace {

// MALSSI_THREADS, or as many as the process may use.
int processors() {
  if (const char* const asked = std::getenv("MALSSI_THREADS"); asked != nullptr)
    if (const int count = std::atoi(asked); count > 0) return count;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::atomic<int> default_count = 0;  // 0: as many as processors
thread_local int own_count = 0;      // 0: the default
thread_local int current_piece = -1;

// Pieces of one loop that nobody has begun: begin .. end - 1. `loop` tells loops apart.
struct alignas(8) Unclaimed {
  uint32_t loop = 0;
  uint16_t begin = 0, end = 0;
};
static_assert(std::atomic<Unclaimed>::is_always_lock_free);

// True once `done()` is, after waiting some tens of microseconds at most.
template <class Done>
bool spin(Done&& done) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      __builtin_ia32_pause();
    }
  } while (std::chrono::steady_clock::now() - start < std::chrono::microseconds(60));
  return false;
}

class Workers {
 public:
  // False: the workers are busy with another loop.
  bool run(int64_t pieces, void (*piece)(void*, int64_t), void* body) {
    const std::unique_lock lock(busy_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    while (std::ssize(threads_) + 1 < pieces && std::ssize(threads_) < kMostWorkers)
      threads_.emplace_back([this] { work(); });
    piece_ = piece;
    body_ = body;
    finished_.store(0, std::memory_order_relaxed);
    const uint32_t loop = ++loop_;
    unclaimed_.store({loop, 0, static_cast<uint16_t>(pieces)});
    started_.store(loop);
    if (sleepers_.load() > 0) started_.notify_all();
    // From the front; workers take from the back, so that a thread mostly sees the same part of the same memory.
    int64_t i = 0;
    while ((i = claim(loop, true)) >= 0) do_piece(i);
    const auto all_are = [&] { return finished_.load(std::memory_order_acquire) == pieces; };
    while (!spin(all_are)) sched_yield();  // whoever has a piece may need this processor
    return true;
  }

 private:
  static constexpr int kMostWorkers = 1023;

  // The first or last piece of the loop that nobody has begun, or -1.
  int64_t claim(uint32_t loop, bool first) {
    Unclaimed left = unclaimed_.load();
    while (left.loop == loop && left.begin < left.end) {
      Unclaimed rest = left;
      const int64_t claimed = first ? rest.begin++ : --rest.end;
      if (unclaimed_.compare_exchange_weak(left, rest)) return claimed;
    }
    return -1;
  }

  void do_piece(int64_t i) {
    current_piece = static_cast<int>(i);
    piece_(body_, i);
    current_piece = -1;
    finished_.fetch_add(1, std::memory_order_release);
  }

  void work() {
    for (uint32_t last = 0;;) {
      if (!spin([&] { return started_.load() != last; })) {
        ++sleepers_;
        started_.wait(last);
        --sleepers_;
      }
      last = started_.load();
      int64_t i = 0;
      while ((i = claim(last, false)) >= 0) do_piece(i);
    }
  }

  std::mutex busy_;  // held while a loop runs
  std::vector<std::thread> threads_;
  uint32_t loop_ = 0;
  // Of the loop that runs; a thread reads them only after it has claimed a piece.
  void (*piece_)(void*, int64_t) = nullptr;
  void* body_ = nullptr;
  alignas(64) std::atomic<Unclaimed> unclaimed_{};
  alignas(64) std::atomic<int64_t> finished_ = 0;
  alignas(64) std::atomic<uint32_t> started_ = 0;  // the last loop's number
  std::atomic<int> sleepers_ = 0;
};

}  // namespace

int thread_count() {
  if (own_count > 0) return own_count;
  const int count = default_count.load(std::memory_order_relaxed);
  if (count > 0) return count;
  static const int all = processors();
  return all;
}

void set_thread_count(int count) { own_count = std::max(1, count); }
void set_default_thread_count(int count) { default_count = std::max(1, count); }

int thread_index() { return std::max(0, current_piece); }
bool in_parallel() { return current_piece >= 0; }

void run_pieces(int64_t pieces, void (*piece)(void* body, int64_t i), void* body) {
  CHECK(pieces < 65536 && !in_parallel());
  static Workers* const workers = new Workers;  // threads run until the process ends
  if (workers->run(pieces, piece, body)) return;
  for (int64_t i = 0; i < pieces; ++i) {
    current_piece = static_cast<int>(i);
    piece(body, i);
  }
  current_piece = -1;
}

}  // namespace malssi
