#include "train/run/estimate.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/format.h"
#include "kernels/gemm.h"
#include "tensor/tensor.h"

namespace malssi {
namespace {

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

}  // namespace

double measure_ceiling(DType dtype) {
  constexpr int64_t kSize = 1024;
  constexpr double kBudget = 0.1;  // seconds
  const auto ones = [&] { return Tensor::full({kSize, kSize}, 1.0f).to(dtype); };
  const Tensor a = ones(), b = ones();
  const Tensor c = Tensor::empty({kSize, kSize}, dtype);
  const auto product = [&] {
    gemm({a.data(), dtype}, {b.data(), dtype}, {c.data(), dtype}, kSize, kSize, kSize,
         {.transpose_b = true});
  };
  product();  // makes and caches the primitive
  double best = 1e9;
  const double begin = now();
  for (int round = 0; round < 3 || (now() - begin < kBudget && round < 100); ++round) {
    const double start = now();
    product();
    best = std::min(best, now() - start);
  }
  return 2.0 * kSize * kSize * kSize / best;
}

double estimated_seconds(const RunEstimate& estimate) {
  if (estimate.seconds_per_token > 0) {
    return estimate.seconds_per_token * static_cast<double>(estimate.tokens);
  }
  return estimate.ceiling > 0 ? estimate.flops / (0.5 * estimate.ceiling) : 0;
}

std::string describe(const RunEstimate& estimate, DType dtype) {
  const double seconds = estimated_seconds(estimate);
  const double share =
      seconds > 0 && estimate.ceiling > 0 ? estimate.flops / seconds / estimate.ceiling : 0;
  return concat(human_count(static_cast<double>(estimate.parameters)), " parameters, ",
                human_count(static_cast<double>(estimate.tokens)), " tokens, ",
                human_quantity(estimate.flops, "FLOP"), ": about ", human_seconds(seconds),
                " on this machine (", static_cast<int>(100 * share + 0.5), "% of the ",
                human_quantity(estimate.ceiling, "FLOP/s"), " of its ", dtype_name(dtype),
                " products)");
}

void check_training_fits(int64_t parameters, int64_t moment_bytes) {
  constexpr int64_t kWeightAndGradient = 8;
  const int64_t memory = machine_memory_bytes();
  const int64_t needed = parameters * (kWeightAndGradient + moment_bytes);
  REQUIRE(memory <= 0 || needed <= memory, "a model of ",
          human_count(static_cast<double>(parameters)), " weights takes at least ",
          human_bytes(needed), " of memory to train, and this machine has ", human_bytes(memory),
          ": make model.width or model.layers smaller");
}

}  // namespace malssi
