#include "infer/sampling_options.h"

#include <cmath>
#include <string_view>

#include "base/error.h"

namespace malssi {

namespace {

void check_between(std::string_view name, double value, double least, double most,
                   std::string_view note = "") {
  REQUIRE(value >= least && value <= most, name, " is ", value, ": it must be between ", least,
          " and ", most, note);
}

void check_at_least(std::string_view name, double value, double least, std::string_view note) {
  REQUIRE(value >= least && std::isfinite(value), name, " is ", value, ": it must be ", least, note,
          " or more");
}

void check_dry(const DryOptions& dry) {
  check_at_least("DRY multiplier", dry.multiplier, 0, " (off)");
  check_at_least("DRY base", dry.base, 1, "");
  REQUIRE(dry.allowed_length >= 1, "DRY allowed length is ", dry.allowed_length,
          ": it must be 1 or more");
  REQUIRE(dry.window >= 0, "DRY window is ", dry.window, ": it must be 0 (all tokens) or more");
}

void check_penalty(const PenaltyOptions& penalty) {
  REQUIRE(penalty.repetition > 0 && std::isfinite(penalty.repetition), "repetition penalty is ",
          penalty.repetition, ": it must be above 0 (1 is off, 1.1 is usual)");
  check_between("presence penalty", penalty.presence, -2, 2, " (0: off)");
  check_between("frequency penalty", penalty.frequency, -2, 2, " (0: off)");
  REQUIRE(penalty.window >= 0, "penalty window is ", penalty.window,
          ": it must be 0 (all tokens) or more");
}

}  // namespace

void check_sampling(const SamplingOptions& options) {
  check_at_least("temperature", options.temperature, 0, " (greedy)");
  REQUIRE(options.top_k >= 0, "top-k is ", options.top_k, ": it must be 0 (off) or more");
  REQUIRE(options.top_p > 0 && options.top_p <= 1, "top-p is ", options.top_p,
          ": it must be above 0 and at most 1 (off)");
  check_between("min-p", options.min_p, 0, 1, " (0: off)");
  REQUIRE(options.typical_p > 0 && options.typical_p <= 1, "typical-p is ", options.typical_p,
          ": it must be above 0 and at most 1 (off)");
  check_at_least("top-n-sigma", options.top_n_sigma, 0, " (off)");
  check_between("XTC probability", options.xtc.probability, 0, 1, " (0: off)");
  check_between("XTC threshold", options.xtc.threshold, 0, 1, " (above 0.5: off)");
  check_at_least("mirostat tau", options.mirostat.tau, 0, " (off)");
  check_between("mirostat eta", options.mirostat.eta, 0, 1);
  check_penalty(options.penalty);
  check_dry(options.dry);
  for (const LogitBias& bias : options.bias)
    REQUIRE(std::isfinite(bias.bias) && std::abs(bias.bias) <= 1000, "the bias of token ", bias.id,
            " is ", bias.bias, ": it must be between -1000 and 1000");
}

void check_bias(const SamplingOptions& options, int64_t vocab) {
  for (const LogitBias& bias : options.bias)
    REQUIRE(bias.id >= 0 && bias.id < vocab, "a logit bias is for token ", bias.id,
            ", but the vocabulary has tokens 0 .. ", vocab - 1);
}

}  // namespace malssi
