// A training run as people follow it: the progress line, warnings, records, samples, the best
// weights and checkpoints, whenever the loop says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/console.h"
#include "train/run/journal.h"
#include "train/run/loop.h"

namespace malssi {

struct RunHooks {
  std::function<void(const LoopState&)> save_checkpoint;
  std::function<void(const LoopState&)> save_best;
  std::function<Report::Sample(int64_t number)> sample;
};

struct RunFacts {
  int64_t steps = 0;
  double flops_per_token = 0;
  double ceiling = 0;             // floating-point operations a second; 0 = unknown
  int64_t samples = 0;            // at each validation
  bool samples_at_begin = false;  // before the first step, too
};

class RunEvents : public LoopEvents {
 public:
  // console and journal must outlive this.
  RunEvents(Console& console, Journal& journal, RunHooks hooks, RunFacts facts);

  void stepped(const LoopState& state, double loss, double tokens_per_second) override;
  void skipped(const LoopState& state, double loss, double grad_norm) override;
  void validated(const LoopState& state, double loss, bool is_best) override;
  void recorded(Metrics metrics) override;
  void checkpoint(const LoopState& state) override;
  bool stop_requested() override;

 private:
  void show_samples(const LoopState& state, double loss);

  Console& console_;
  Journal& journal_;
  RunHooks hooks_;
  RunFacts facts_;
  double val_loss_ = Metrics::kNone;
  std::chrono::steady_clock::time_point told_at_ = {};
};

}  // namespace malssi
