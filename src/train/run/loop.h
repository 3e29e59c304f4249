// The training loop that all methods share: schedule, clipping, optimiser steps, validation, early
// stopping, checkpoints, steps whose loss is not a number, stopping on request. It computes no loss
// and writes no file: an Objective does the one, LoopEvents the other.
//
// "At step s" means after s optimiser steps. A checkpoint at step s holds all that the later steps
// depend on, so a run that continues from it ends with bit-identical weights (same build, same
// threads).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/json.h"
#include "optim/schedule.h"
#include "train/run/metrics.h"
#include "train/run/objective.h"

namespace malssi {

struct LoopOptions {
  ScheduleOptions schedule;      // schedule.steps is the length of the run; 0: nothing to do
  double clip = 1.0;             // greatest gradient norm; 0 = no clipping
  int64_t eval_every = 250;      // 0 = at the end only
  int64_t patience = 0;          // validations without a new best before stopping; 0 = never
  int64_t checkpoint_every = 0;  // 0 = at the end only
  int64_t log_every = 10;
  int64_t bad_steps = 10;  // steps in a row whose loss or gradient is not finite before giving up
};

// How far the loop is, and what a checkpoint keeps of it.
struct LoopState {
  int64_t step = 0;
  int64_t tokens = 0;
  double elapsed_seconds = 0;  // of all starts of the run together
  int64_t closed_at = -1;      // the last step that was validated and recorded where that was due
  double best_loss = 0;        // meaningless while best_step < 0
  int64_t best_step = -1;
  int64_t without_best = 0;  // validations since the best
  int64_t bad_total = 0;     // steps skipped
  int64_t bad_in_a_row = 0;
  double loss_sum = 0;  // of the steps since the last record
  int64_t loss_count = 0;

  Json to_json() const;
  static LoopState from_json(const Json& json);  // throws Error
};

// What happens around the arithmetic. Every function may throw; the loop ends with it.
class LoopEvents {
 public:
  virtual ~LoopEvents() = default;
  virtual void stepped(const LoopState& state, double loss, double tokens_per_second) = 0;
  virtual void skipped(const LoopState& state, double loss, double grad_norm) = 0;
  // is_best: these weights are to be kept.
  virtual void validated(const LoopState& state, double loss, bool is_best) = 0;
  virtual void recorded(Metrics metrics) = 0;
  virtual void checkpoint(const LoopState& state) = 0;
  virtual bool stop_requested() = 0;
};

// What the loop does to the model; made from a Model and an Optimizer by optimizer_updates().
struct WeightUpdates {
  std::function<double(double max_norm)> clip;  // scales the gradients down; the norm before
  std::function<void(double lr)> step;
  std::function<void()> clear;  // forgets the gradients
};

enum class LoopEnd { finished, stopped_early, interrupted };

class TrainLoop {
 public:
  // objective and events must outlive the loop.
  TrainLoop(const LoopOptions& options, WeightUpdates updates, Objective& objective,
            LoopEvents& events);

  // Continues from here; model, optimiser and objective are restored by the caller.
  void restore(const LoopState& state);

  // Throws Error when too many steps in a row had a loss that is not a number. No checkpoint is
  // taken while the last step was such a one.
  LoopEnd run();

  const LoopState& state() const { return state_; }

 private:
  enum class Closing { done, interrupted, no_progress };
  bool due(int64_t every) const;
  bool exhausted() const;  // patience is at its end before the run is
  Closing close_step();    // validation and record, where due
  void note_validation(double loss);
  void record(double val_loss);
  void checkpoint();
  bool train_step();  // false: a stop was asked for
  void skip_step(double loss, double grad_norm);

  LoopOptions options_;
  Schedule schedule_;
  WeightUpdates updates_;
  Objective& objective_;
  LoopEvents& events_;
  LoopState state_;
  int64_t saved_at_ = -1;
  double last_lr_ = Metrics::kNone;
  double last_norm_ = Metrics::kNone;
  int64_t recent_tokens_ = 0;  // since the last record
  double recent_seconds_ = 0;
  double pace_ = 0;  // tokens per second, smoothed
};

}  // namespace malssi
