// Rotary positions (Su et al. 2021), in the layout of Llama as published by Hugging Face: pairs are (i, i + head_dim / 2); and the
// ways in which models stretch them over longer contexts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace malssi {

// How frequencies differ from theta^(-2i / head_dim). kind: "" (not at all), "linear" (all divided by factor), "llama3" (the slow
// ones; Dubey et al. 2024), "yarn" (Peng et al. 2023), "longrope" (each divided by a factor of its own, other ones beyond the
// original context; Ding et al. 2024), "factors" (each by its own).
struct RopeScaling {
  std::string kind = {};
  double factor = 1;
  double low_frequency = 1, high_frequency = 4;  // llama3
  double beta_fast = 32, beta_slow = 1;          // yarn
  double attention_factor = 0;                   // of cosines and sines; 0: the kind's usual
  int64_t original_context = 0;
  std::vector<double> factors = {}, long_factors = {};

  bool operator==(const RopeScaling&) const = default;
  // Throws Error for an unknown kind, or numbers that cannot be.
  void check(int64_t head_dim) const;
  // What divides each of the head_dim / 2 frequencies.
  std::vector<double> divisors(int64_t head_dim, double theta) const;
  double magnitude() const;
};

// Cosines and sines of positions [positions, head_dim / 2], computed as far as they were asked for (by the one thread that runs
// models).
class RopeTable {
 public:
  RopeTable() = default;
  RopeTable(int64_t head_dim, double theta, const RopeScaling& scaling = {});

  int64_t head_dim() const { return head_dim_; }
  // The table for tokens at these positions, whose rows reach that far: another one where the context outgrows longrope's first.
  const RopeTable& for_positions(std::span<const int32_t> positions) const;
  const float* cosines() const { return cosines_.data(); }
  const float* sines() const { return sines_.data(); }

 private:
  void reach(int64_t positions) const;

  int64_t head_dim_ = 0;
  std::vector<double> frequencies_;
  double magnitude_ = 1;
  mutable int64_t positions_ = 0;
  mutable std::vector<float> cosines_, sines_;
  int64_t original_context_ = 0;
  std::shared_ptr<const RopeTable> beyond_;  // from original_context_ on, or null
};

// Rotates the first `heads` heads of each row of x [N, W] IN PLACE: x itself must not be used afterwards, only the result. The
// table must outlive the tape.
Tensor rope_in_place(const Tensor& x, std::span<const int32_t> positions, const RopeTable& table,
                     int64_t heads);

}  // namespace malssi
