// How the next token is chosen. Every setting's default leaves it out.
#pragma once

#include <cstdint>
#include <vector>

namespace malssi {

struct LogitBias {
  int32_t id = 0;
  double bias = 0;
};

// Penalties on tokens that came before (penalties.h).
struct PenaltyOptions {
  double repetition = 1.0;  // > 0; 1: off
  double presence = 0.0;    // -2 .. 2
  double frequency = 0.0;   // -2 .. 2
  int64_t window = 0;       // the latest tokens that count; 0: all
};

// DRY, against repeated sequences (dry.h).
struct DryOptions {
  double multiplier = 0.0;  // 0: off
  double base = 1.75;
  int64_t allowed_length = 2;  // what may be repeated freely
  int64_t window = 0;          // the latest tokens that count; 0: all
  std::vector<int32_t> breakers = {};
};

// XTC, which leaves out the likeliest tokens (filters.h).
struct XtcOptions {
  double probability = 0.0;  // how often; 0: off
  double threshold = 0.1;    // above 0.5: off
};

// Mirostat 2, in place of all filters (mirostat.h).
struct MirostatOptions {
  double tau = 0.0;  // surprise to hold, in bits; 0: off
  double eta = 0.1;  // how fast
};

struct SamplingOptions {
  double temperature = 1.0;  // 0: greedy
  int64_t top_k = 0;         // 0: all
  double top_p = 1.0;
  double min_p = 0.0;
  double typical_p = 1.0;
  double top_n_sigma = 0.0;  // 0: off
  XtcOptions xtc = {};
  MirostatOptions mirostat = {};
  PenaltyOptions penalty = {};
  DryOptions dry = {};
  std::vector<LogitBias> bias = {};
  uint64_t seed = 0;
};

// Throws an Error that names the setting, its value and its range.
void check_sampling(const SamplingOptions& options);
// Throws an Error when a bias is for a token outside 0 .. vocab - 1.
void check_bias(const SamplingOptions& options, int64_t vocab);

}  // namespace malssi
