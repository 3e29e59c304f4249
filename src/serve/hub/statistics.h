// What a hub did so far, and Prometheus' text of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace malssi {

// Seconds, counted in buckets up to their bounds.
struct Histogram {
  static constexpr std::array<double, 14> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,    1,     2.5,  5,     10,   60};
  std::array<int64_t, kBounds.size() + 1> counts = {};  // the last: above all bounds
  double sum = 0;

  void add(double seconds);
  int64_t count() const;
};

struct HubStatistics {
  int64_t running = 0, waiting = 0;  // answers
  int64_t finished = 0, cancelled = 0, failed = 0;
  int64_t prompt_tokens = 0, reused_tokens = 0;  // computed, and shared
  int64_t answer_tokens = 0;
  double cache_use = 0;                 // part of the busiest model's room for keys and values
  int64_t models = 0, model_bytes = 0;  // loaded
  Histogram first_token = {};           // from request to first token
  Histogram between_tokens = {};        // from one to the next
  Histogram whole_answer = {};          // from request to end
};

// In Prometheus' text format; names begin with malssi_.
std::string prometheus_text(const HubStatistics& statistics);

}  // namespace malssi
