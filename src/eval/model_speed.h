// How fast a model runs on this machine: training steps, reading a prompt, writing an answer. On made-up tokens, which cost what
// real ones do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/model.h"
#include "train/run/settings.h"

namespace malssi {

struct SpeedOptions {
  double seconds = 2;                    // for each measurement, after a first round that warms up
  std::function<bool()> cancelled = {};  // asked between rounds; ends with an Error
  std::optional<DType> cache = {};       // what keys and values are kept in; none: as usual
};

// The time of a round: the median is what to expect, the best what the machine can do undisturbed.
struct RoundTimes {
  int64_t rounds = 0;
  double median_seconds = 0;
  double best_seconds = 0;
};

// Calls round() once to warm up, then for options.seconds, but at least 3 times.
RoundTimes measure_rounds(const std::function<void()>& round, const SpeedOptions& options);

struct TrainingShape {
  int64_t rows = 0, context = 0;  // of a step
  int64_t rows_at_once = 0;       // of a forward and backward pass; 0: as training chooses
};

struct TrainingSpeed {
  TrainingShape shape;
  RoundTimes steps = {};
  double tokens_per_second = 0;  // of the median step
  double flops = 0;              // a second, of the median step
  int64_t memory_bytes = 0;      // the most that this process ever had
};

// Whole optimiser steps: forward, backward, clipping, update. The model's weights change.
TrainingSpeed measure_training(Model& model, const TrainingShape& shape, const OptimSettings& optim,
                               const SpeedOptions& options);

struct PrefillSpeed {
  int64_t tokens = 0;  // of the prompt
  RoundTimes passes = {};
  double tokens_per_second = 0;
  double flops = 0;  // a second
};

// Reading a prompt of so many tokens into a cache that holds `past`.
PrefillSpeed measure_prefill(Model& model, int64_t tokens, int64_t past,
                             const SpeedOptions& options);

struct DecodeSpeed {
  int64_t sequences = 0;
  int64_t past = 0;  // tokens that each sequence already has
  RoundTimes passes = {};
  double tokens_per_second = 0;  // of all sequences together
  double read_bytes = 0;         // weights and cache that a second's passes read
};

// Writing one token at a time for several sequences side by side.
DecodeSpeed measure_decode(Model& model, int64_t sequences, int64_t past,
                           const SpeedOptions& options);

}  // namespace malssi
