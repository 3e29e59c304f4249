#include "train/run/loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/format.h"

namespace malssi {
namespace {

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

ScheduleOptions at_least_a_step(ScheduleOptions options) {
  options.steps = std::max<int64_t>(options.steps, 1);
  return options;
}

}  // namespace

TrainLoop::TrainLoop(const LoopOptions& options, WeightUpdates updates, Objective& objective,
                     LoopEvents& events)
    : options_(options),
      schedule_(at_least_a_step(options.schedule)),
      updates_(std::move(updates)),
      objective_(objective),
      events_(events) {}

void TrainLoop::restore(const LoopState& state) {
  state_ = state;
  saved_at_ = state.step;
}

LoopEnd TrainLoop::run() {
  if (state_.closed_at == state_.step && exhausted()) return LoopEnd::stopped_early;
  while (true) {
    const bool last = state_.step >= options_.schedule.steps;
    Closing closing = Closing::done;
    if (events_.stop_requested()) {
      closing = Closing::interrupted;
    } else if (state_.closed_at != state_.step) {
      closing = close_step();
    }
    const bool ends = last || closing != Closing::done;
    if (ends || (state_.step > 0 && due(options_.checkpoint_every))) checkpoint();
    if (closing == Closing::interrupted) return LoopEnd::interrupted;
    if (closing == Closing::no_progress) return LoopEnd::stopped_early;
    if (last) return LoopEnd::finished;
    if (!train_step()) {
      checkpoint();
      return LoopEnd::interrupted;
    }
  }
}

bool TrainLoop::due(int64_t every) const { return every > 0 && state_.step % every == 0; }

bool TrainLoop::exhausted() const {
  return options_.patience > 0 && state_.without_best >= options_.patience &&
         state_.step < options_.schedule.steps;
}

TrainLoop::Closing TrainLoop::close_step() {
  const bool last = state_.step >= options_.schedule.steps;
  double val_loss = Metrics::kNone;
  bool validated = false;
  if (last || due(options_.eval_every)) {
    const double begin = now();
    const Validation validation = objective_.validate();
    state_.elapsed_seconds += now() - begin;
    if (!validation.complete) return Closing::interrupted;
    validated = validation.loss.has_value();
    if (validated) {
      val_loss = *validation.loss;
      note_validation(val_loss);
    }
  }
  state_.closed_at = state_.step;
  const bool recorded = validated || last || due(options_.log_every) || state_.step == 1;
  if (recorded && (state_.step > 0 || validated)) record(val_loss);
  return validated && exhausted() ? Closing::no_progress : Closing::done;
}

void TrainLoop::note_validation(double loss) {
  const bool is_first = state_.step == 0;  // nothing is learned yet: no best
  const bool is_best =
      !is_first && std::isfinite(loss) && (state_.best_step < 0 || loss < state_.best_loss);
  if (is_best) {
    state_.best_loss = loss;
    state_.best_step = state_.step;
    state_.without_best = 0;
  } else if (!is_first) {
    ++state_.without_best;
  }
  events_.validated(state_, loss, is_best);
}

void TrainLoop::record(double val_loss) {
  Metrics metrics;
  metrics.step = state_.step;
  metrics.tokens = state_.tokens;
  if (state_.loss_count > 0) metrics.loss = state_.loss_sum / double(state_.loss_count);
  metrics.val_loss = val_loss;
  metrics.lr = last_lr_;
  metrics.grad_norm = last_norm_;
  if (recent_seconds_ > 0) metrics.tokens_per_second = double(recent_tokens_) / recent_seconds_;
  metrics.elapsed_seconds = state_.elapsed_seconds;
  metrics.memory_bytes = process_memory_bytes();
  if (state_.bad_total > 0) metrics.more.emplace_back("skipped_steps", state_.bad_total);
  for (auto& figure : objective_.figures()) metrics.more.push_back(std::move(figure));
  state_.loss_sum = 0;
  state_.loss_count = 0;
  recent_tokens_ = 0;
  recent_seconds_ = 0;
  events_.recorded(std::move(metrics));
}

void TrainLoop::checkpoint() {
  // After a loss that is not a number the weights may be spoilt: the checkpoint before stays the
  // latest.
  if (saved_at_ == state_.step || state_.bad_in_a_row > 0) return;
  events_.checkpoint(state_);
  saved_at_ = state_.step;
}

bool TrainLoop::train_step() {
  const double begin = now();
  const std::optional<StepLoss> loss = objective_.accumulate(state_.step);
  if (!loss) {
    updates_.clear();
    return false;
  }
  const double norm = updates_.clip(options_.clip);
  const bool good = std::isfinite(loss->loss) && std::isfinite(norm);
  last_lr_ = schedule_.at(state_.step);
  last_norm_ = norm;
  if (good) updates_.step(last_lr_);
  updates_.clear();
  const double seconds = now() - begin;
  ++state_.step;
  state_.tokens += loss->tokens;
  state_.elapsed_seconds += seconds;
  recent_tokens_ += loss->tokens;
  recent_seconds_ += seconds;
  const double pace = double(loss->tokens) / std::max(seconds, 1e-9);
  pace_ = pace_ == 0 ? pace : 0.9 * pace_ + 0.1 * pace;
  if (!good) {
    skip_step(loss->loss, norm);
    return true;
  }
  state_.bad_in_a_row = 0;
  state_.loss_sum += loss->loss;
  ++state_.loss_count;
  events_.stepped(state_, loss->loss, pace_);
  return true;
}

void TrainLoop::skip_step(double loss, double grad_norm) {
  ++state_.bad_total;
  ++state_.bad_in_a_row;
  events_.skipped(state_, loss, grad_norm);
  REQUIRE(state_.bad_in_a_row < options_.bad_steps, "training stopped at step ", state_.step,
          ": the loss or its gradient was not a finite number in ", state_.bad_in_a_row,
          " steps in a row (loss ", loss, ", gradient norm ", grad_norm,
          "); the last checkpoint is from before: use a lower learning rate (optim.lr), a longer "
          "warm-up, or compute = \"f32\"");
}

Json LoopState::to_json() const {
  Json json;
  json["step"] = step;
  json["tokens"] = tokens;
  json["elapsed_seconds"] = elapsed_seconds;
  json["closed_at"] = closed_at;
  json["best_loss"] = best_loss;
  json["best_step"] = best_step;
  json["without_best"] = without_best;
  json["bad_total"] = bad_total;
  json["loss_sum"] = loss_sum;
  json["loss_count"] = loss_count;
  return json;
}

LoopState LoopState::from_json(const Json& json) {
  constexpr std::string_view where = "the checkpoint's loop state";
  LoopState state;
  state.step = get<int64_t>(json, "step", where);
  state.tokens = get<int64_t>(json, "tokens", where);
  state.elapsed_seconds = get<double>(json, "elapsed_seconds", where);
  state.closed_at = get<int64_t>(json, "closed_at", where);
  state.best_loss = get<double>(json, "best_loss", where);
  state.best_step = get<int64_t>(json, "best_step", where);
  state.without_best = get<int64_t>(json, "without_best", where);
  state.bad_total = get<int64_t>(json, "bad_total", where);
  state.loss_sum = get<double>(json, "loss_sum", where);
  state.loss_count = get<int64_t>(json, "loss_count", where);
  REQUIRE(state.step >= 0 && state.tokens >= 0, where, " is damaged: step ", state.step);
  return state;
}

}  // namespace malssi
