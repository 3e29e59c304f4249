// metrics.jsonl, the truth about a run: one JSON object a line, one line a reported step, steps
// rising. Every line has the keys step, tokens, loss, val_loss, lr, grad_norm, tokens_per_second,
// elapsed_seconds and memory_bytes; what was not measured at that step is null. Further figures
// stand under their own names.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace malssi {

struct Metrics {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  int64_t step = 0;                                       // optimiser steps done
  int64_t tokens = 0;                                     // tokens trained on so far
  double loss = kNone;                                    // nats a token, mean since the last line
  double val_loss = kNone;                                // nats a token
  double lr = kNone;                                      // of this step
  double grad_norm = kNone;                               // before clipping
  double tokens_per_second = kNone;                       // since the last line
  double elapsed_seconds = kNone;                         // of training, interruptions left out
  int64_t memory_bytes = 0;                               // resident
  std::vector<std::pair<std::string, double>> more = {};  // "utilisation", "data_wait_seconds" ...

  // The figure of that name; NaN when this line does not have it.
  double figure(std::string_view name) const;
};

// The line, without its newline.
std::string metrics_line(const Metrics& metrics);
// Throws Error naming `where`.
Metrics parse_metrics_line(std::string_view line, std::string_view where);

// All lines of the file. A last line without its newline (a killed run) is left out; another
// damaged one is an Error naming file and line.
std::vector<Metrics> read_metrics(const fs::path& file);

class MetricsWriter {
 public:
  // Begins the file anew, or, given the step that a run goes on from, drops every line past it, so
  // that each step stands in the file once.
  explicit MetricsWriter(const fs::path& file, std::optional<int64_t> resumed_step = {});

  // Steps must rise.
  void write(const Metrics& metrics);
  void sync() { file_.sync(); }

 private:
  // Bytes of the lines that stay, and the last step among them.
  struct Kept {
    int64_t bytes = 0;
    int64_t last_step = std::numeric_limits<int64_t>::min();
  };
  static Kept kept_lines(const fs::path& file, std::optional<int64_t> resumed_step);
  MetricsWriter(const fs::path& file, const Kept& kept);

  int64_t last_step_;
  AppendFile file_;
};

}  // namespace malssi
