#include "train/run/run_events.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "base/signal.h"

namespace malssi {
namespace {

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

// Lines of a sample, set off from the notes around it.
std::string indented(const std::string& text) {
  std::string out = "  | ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "  | ";
  }
  return out;
}

}  // namespace

RunEvents::RunEvents(Console& console, Journal& journal, RunHooks hooks, RunFacts facts)
    : console_(console), journal_(journal), hooks_(std::move(hooks)), facts_(std::move(facts)) {}

void RunEvents::stepped(const LoopState& state, double loss, double tokens_per_second) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = state.step == facts_.steps;
  if (!last && now - told_at_ < std::chrono::milliseconds(50)) return;  // small models are quick
  told_at_ = now;
  std::string text = "loss " + fixed(loss, 4);
  if (std::isfinite(val_loss_)) text += " | val " + fixed(val_loss_, 4);
  text += " | " + human_count(tokens_per_second) + " tok/s";
  if (facts_.ceiling > 0) {
    const double share = tokens_per_second * facts_.flops_per_token / facts_.ceiling;
    text += " | " + fixed(100 * share, 0) + "% of ceiling";
  }
  text += " | " + human_bytes(process_memory_bytes());
  console_.progress({.done = state.step, .total = facts_.steps, .text = text});
}

void RunEvents::skipped(const LoopState& state, double loss, double grad_norm) {
  console_.warn(concat("step ", state.step, " skipped: loss ", loss, ", gradient norm ", grad_norm,
                       " (", state.bad_in_a_row, " in a row, ", state.bad_total, " in all)"));
}

void RunEvents::validated(const LoopState& state, double loss, bool is_best) {
  val_loss_ = loss;
  console_.note(concat("step ", state.step, ": validation loss ", fixed(loss, 4),
                       is_best ? ", the best so far" : ""));
  if (is_best) hooks_.save_best(state);
  if (state.step > 0 || facts_.samples_at_begin) show_samples(state, loss);
}

void RunEvents::show_samples(const LoopState& state, double loss) {
  for (int64_t i = 0; i < facts_.samples && !stop_requested(); ++i) {
    Report::Sample sample = hooks_.sample(i);
    sample.step = state.step;
    sample.loss = loss;
    console_.note(indented(sample.prompt + sample.text));
    journal_.sample(sample);
  }
}

void RunEvents::recorded(Metrics metrics) {
  if (facts_.ceiling > 0 && std::isfinite(metrics.tokens_per_second)) {
    metrics.more.emplace_back("utilisation",
                              metrics.tokens_per_second * facts_.flops_per_token / facts_.ceiling);
  }
  journal_.record(metrics);
  if (std::isfinite(metrics.val_loss)) journal_.publish();
}

void RunEvents::checkpoint(const LoopState& state) {
  hooks_.save_checkpoint(state);
  journal_.publish();
}

bool RunEvents::stop_requested() { return StopSignal::requested(); }

}  // namespace malssi
