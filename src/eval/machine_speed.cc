#include "eval/machine_speed.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>

#include "base/format.h"
#include "base/parallel.h"
#include "kernels/gemm.h"
#include "train/run/estimate.h"

namespace malssi {
namespace {

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

// Of several rounds the best counts: other programs only ever take away.
double best_ceiling(DType dtype, int rounds) {
  double best = 0;
  for (int round = 0; round < rounds; ++round) best = std::max(best, measure_ceiling(dtype));
  return best;
}

// Several running sums, so that additions do not wait for each other.
uint64_t sum_of(const uint64_t* words, int64_t count) {
  constexpr int64_t kSums = 16;
  uint64_t sums[kSums] = {};
  for (int64_t i = 0; i + kSums <= count; i += kSums)
    for (int64_t j = 0; j < kSums; ++j) sums[j] += words[i + j];
  uint64_t total = 0;
  for (const uint64_t sum : sums) total += sum;
  return total;
}

// Three arrays, each written by the thread that will read it.
class Memory {
 public:
  explicit Memory(int64_t words) : words_(words) {
    for (auto& array : arrays_) array.reset(new uint64_t[static_cast<size_t>(words)]);
    over_pieces([&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (auto& array : arrays_) array[i] = static_cast<uint64_t>(i);
    });
  }

  // Bytes read in a round. The sum keeps the reading from being optimised away.
  int64_t read() {
    std::atomic<uint64_t> total = 0;
    over_pieces([&](int64_t begin, int64_t end) {
      uint64_t sum = 0;
      for (const auto& array : arrays_) sum += sum_of(array.get() + begin, end - begin);
      total += sum;
    });
    sink_ = total;
    return 3 * 8 * words_;
  }
  // Bytes read and written in a round.
  int64_t triad() {
    over_pieces([&](int64_t begin, int64_t end) {
      const uint64_t* a = arrays_[0].get();
      const uint64_t* b = arrays_[1].get();
      uint64_t* c = arrays_[2].get();
      for (int64_t i = begin; i < end; ++i) c[i] = a[i] + 3 * b[i];
    });
    return 3 * 8 * words_;
  }

 private:
  template <class Body>
  void over_pieces(Body&& body) {
    parallel_for(words_, 1, body);
  }
  int64_t words_;
  std::unique_ptr<uint64_t[]> arrays_[3];
  volatile uint64_t sink_ = 0;
};

template <class Round>
double best_rate(int rounds, Round&& round) {
  double best = 0;
  for (int i = 0; i < rounds; ++i) {
    const double begin = now();
    const auto bytes = static_cast<double>(round());
    best = std::max(best, bytes / std::max(now() - begin, 1e-9));
  }
  return best;
}

}  // namespace

MachineSpeed measure_machine(const MachineOptions& options) {
  MachineSpeed speed{.processor = processor_name(), .instructions = gemm_instruction_set()};
  speed.threads = thread_count();
  speed.memory_bytes = machine_memory_bytes();
  speed.f32_flops = best_ceiling(DType::f32, options.rounds);
  if (has_native_bf16()) speed.bf16_flops = best_ceiling(DType::bf16, options.rounds);
  const int64_t free_bytes = int64_t{sysconf(_SC_AVPHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  const int64_t bytes = std::min(free_bytes / 4, options.memory_bytes);
  Memory memory(std::max<int64_t>(bytes / 3 / 8, 1));
  speed.read_bytes = best_rate(options.rounds, [&] { return memory.read(); });
  speed.triad_bytes = best_rate(options.rounds, [&] { return memory.triad(); });
  return speed;
}

}  // namespace malssi
