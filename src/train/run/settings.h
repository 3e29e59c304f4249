// The parts of a config that every kind of training shares: optimiser, course of the run, what it
// tells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace malssi {

// [optim]
struct OptimSettings {
  std::string name = "adamw";
  double lr = 1e-3;
  double min_lr = 0.0;
  std::string schedule = "cosine";
  int64_t warmup_steps = 0;
  double decay_fraction = 0.2;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;
  double clip = 1.0;
  double muon_ratio = 20;
  double muon_momentum = 0.95;
  std::string moments = "f32";

  template <class V>
  void visit(V& v) {
    v("name", name, "optimiser", one_of({"adamw", "muon"}));
    v("lr", lr, "peak learning rate", above(0));
    v("min_lr", min_lr, "learning rate at the end of the schedule", at_least(0));
    v("schedule", schedule, "learning-rate curve after the warm-up", one_of(schedule_kinds()));
    v("warmup_steps", warmup_steps, "steps of warm-up", at_least(0));
    v("decay_fraction", decay_fraction, "wsd: the part of the run that decays", between(0, 1));
    v("beta1", beta1, "decay of the gradient's mean", between(0, 1));
    v("beta2", beta2, "decay of the gradient's square", between(0, 1));
    v("eps", eps, "added to the root of the mean square", above(0));
    v("weight_decay", weight_decay, "decoupled weight decay of matrices", at_least(0));
    v("clip", clip, "greatest norm of the gradient; 0 = no clipping", at_least(0));
    v("muon_ratio", muon_ratio, "muon: learning rate of hidden matrices, as a multiple of lr",
      above(0));
    v("muon_momentum", muon_momentum, "muon: momentum", between(0, 1));
    v("moments", moments, "adamw: precision of both moments; bf16 halves their memory",
      one_of({"f32", "bf16"}));
  }
  void check() const;  // the floor lies below the peak
};

// [train]
struct TrainSettings {
  std::string out = "";
  int64_t seed = 1337;
  int64_t steps = 1000;
  int64_t batch_rows = 12;
  int64_t micro_batch_tokens = 0;
  std::string compute = "auto";
  std::string recompute = "auto";
  int64_t threads = 0;
  int64_t eval_every = 250;
  int64_t eval_rows = 240;
  int64_t patience = 0;
  int64_t checkpoint_every = 250;
  int64_t keep_checkpoints = 2;
  int64_t bad_steps = 10;

  template <class V>
  void visit(V& v) {
    v("out", out, "folder of the run");
    v("seed", seed, "seed of everything random", at_least(0));
    v("steps", steps, "optimiser steps", at_least(0));
    v("batch_rows", batch_rows, "sequences of one optimiser step", at_least(1));
    v("micro_batch_tokens", micro_batch_tokens,
      "tokens computed at once; gradients of the pieces add up; 0 = chosen here", at_least(0));
    v("compute", compute, "number format of the products; auto = bf16 where the machine has it",
      one_of({"auto", "f32", "bf16"}));
    v("recompute", recompute,
      "keep the blocks' inputs alone and compute what lies between again for the gradients: the "
      "same results with less memory, a fourth slower; auto = where memory would be short",
      one_of({"auto", "on", "off"}));
    v("threads", threads, "threads; 0 = one for each core", at_least(0));
    v("eval_every", eval_every, "steps between validations; 0 = at the end only", at_least(0));
    v("eval_rows", eval_rows, "sequences of a validation; 0 = all there are", at_least(0));
    v("patience", patience, "stop after this many validations without a new best; 0 = never",
      at_least(0));
    v("checkpoint_every", checkpoint_every, "steps between checkpoints; 0 = at the end only",
      at_least(0));
    v("keep_checkpoints", keep_checkpoints, "checkpoints kept", at_least(1));
    v("bad_steps", bad_steps, "stop after this many steps in a row whose loss is not a number",
      at_least(1));
  }
};

// [log]
struct LogSettings {
  int64_t every = 10;
  int64_t samples = 1;
  std::string sample_prompt = "";
  int64_t sample_tokens = 100;
  double sample_temperature = 0.8;
  bool tensorboard = true;
  bool report = true;

  template <class V>
  void visit(V& v) {
    v("every", every, "steps between records in metrics.jsonl", at_least(1));
    v("samples", samples, "samples printed at each validation", at_least(0));
    v("sample_prompt", sample_prompt, "text that samples continue; empty = a new document");
    v("sample_tokens", sample_tokens, "greatest length of a sample in tokens", at_least(1));
    v("sample_temperature", sample_temperature, "temperature of samples; 0 = greedy", at_least(0));
    v("tensorboard", tensorboard, "write a TensorBoard event file");
    v("report", report, "write report.html");
  }
};

OptimizerOptions optimizer_options(const OptimSettings& optim);
// The schedule of a run of this many steps.
ScheduleOptions schedule_options(const OptimSettings& optim, int64_t steps);

}  // namespace malssi
