// What a run leaves to read: metrics.jsonl, a TensorBoard event file, samples.jsonl and
// report.html. A run that goes on from step s keeps what was written up to s and drops the rest,
// so every step stands there once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "train/report/report.h"
#include "train/report/tensorboard.h"
#include "train/run/metrics.h"

namespace malssi {

struct JournalOptions {
  std::string title;     // of the report
  std::string subtitle;  // "10.6M weights, ..."
  Json config;           // shown in the report
  bool tensorboard = true;
  bool report = true;
};

class Journal {
 public:
  // resumed_step: the step that the run goes on from; nothing for a new run. The folder exists.
  Journal(const fs::path& run, const JournalOptions& options, std::optional<int64_t> resumed_step);

  void record(const Metrics& metrics);
  void sample(const Report::Sample& sample);
  // Makes the records durable and writes the report of what stands in the files.
  void publish();

 private:
  fs::path run_;
  JournalOptions options_;
  MetricsWriter metrics_;
  std::optional<EventWriter> events_;
  std::vector<Report::Sample> samples_;
  AppendFile samples_file_;
};

// The samples in a file, up to a step; damaged lines (a killed run) are left out.
std::vector<Report::Sample> read_samples(const fs::path& file, std::optional<int64_t> last_step);

}  // namespace malssi
