#include "serve/hub/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace malssi {
namespace {

void put(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
         double value) {
  out += fmt::format("# HELP malssi_{0} {1}\n# TYPE malssi_{0} {2}\nmalssi_{0} {3}\n", name, help,
                     kind, value);
}

void put(std::string& out, std::string_view name, std::string_view help, const Histogram& times) {
  out += fmt::format("# HELP malssi_{0} {1}\n# TYPE malssi_{0} histogram\n", name, help);
  int64_t below = 0;
  for (size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    below += times.counts[i];
    out += fmt::format("malssi_{}_bucket{{le=\"{}\"}} {}\n", name, Histogram::kBounds[i], below);
  }
  out += fmt::format(
      "malssi_{0}_bucket{{le=\"+Inf\"}} {1}\nmalssi_{0}_sum {2}\nmalssi_{0}_count {1}\n", name,
      times.count(), times.sum);
}

}  // namespace

void Histogram::add(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts[static_cast<size_t>(bound - kBounds.begin())];
  sum += seconds;
}

int64_t Histogram::count() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::string prometheus_text(const HubStatistics& s) {
  std::string out;
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    put(out, name, "gauge", help, static_cast<double>(value));
  };
  const auto counter = [&](std::string_view name, std::string_view help, auto value) {
    put(out, name, "counter", help, static_cast<double>(value));
  };
  gauge("num_requests_running", "Answers in the making.", s.running);
  gauge("num_requests_waiting", "Answers that wait for a slot.", s.waiting);
  gauge("kv_cache_usage_perc", "Part of the room for keys and values in use, 0 to 1.", s.cache_use);
  gauge("models_loaded", "Models in memory.", s.models);
  gauge("model_bytes", "What they take, with their keys and values.", s.model_bytes);
  counter("requests_finished_total", "Answers that came to their end.", s.finished);
  counter("requests_cancelled_total", "Answers that nobody waited for any more.", s.cancelled);
  counter("requests_failed_total", "Answers that ended in an error.", s.failed);
  counter("prompt_tokens_total", "Prompt tokens computed.", s.prompt_tokens);
  counter("prompt_tokens_cached_total", "Prompt tokens shared with earlier prompts.",
          s.reused_tokens);
  counter("generation_tokens_total", "Tokens written.", s.answer_tokens);
  put(out, "time_to_first_token_seconds", "From request to first token.", s.first_token);
  put(out, "inter_token_latency_seconds", "From one token to the next.", s.between_tokens);
  put(out, "e2e_request_latency_seconds", "From request to the answer's end.", s.whole_answer);
  return out;
}

}  // namespace malssi
