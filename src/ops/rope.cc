#include "ops/rope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "kernels/table.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

std::vector<double> plain_frequencies(int64_t head_dim, double theta) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < head_dim / 2; ++i)
    frequencies.push_back(
        std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
  return frequencies;
}

// 1 where a wave turns often within the original context, the factor where it hardly does, smooth between.
double llama3_divisor(const RopeScaling& s, double frequency) {
  const double turns = static_cast<double>(s.original_context) * frequency / kTurn;
  if (turns > s.high_frequency) return 1;
  if (turns < s.low_frequency) return s.factor;
  const double share = (turns - s.low_frequency) / (s.high_frequency - s.low_frequency);
  return 1 / ((1 - share) / s.factor + share);
}

// Frequencies before `low` stay, those after `high` are divided, in between they mix.
double yarn_divisor(const RopeScaling& s, int64_t i, int64_t head_dim, double theta) {
  const auto dim = static_cast<double>(head_dim);
  const auto where = [&](double turns) {
    return dim * std::log(static_cast<double>(s.original_context) / (turns * kTurn)) /
           (2 * std::log(theta));
  };
  const double low = std::max(std::floor(where(s.beta_fast)), 0.0);
  double high = std::min(std::ceil(where(s.beta_slow)), dim - 1);
  if (high == low) high += 0.001;
  const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
  return 1 / (ramp / s.factor + (1 - ramp));
}

}  // namespace

void RopeScaling::check(int64_t head_dim) const {
  constexpr std::array kKinds = {"", "linear", "llama3", "yarn", "longrope", "factors"};
  REQUIRE(std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end(),
          "rope scaling: unknown type \"", kind,
          "\"; known are linear, llama3, yarn, longrope, factors");
  REQUIRE(factor > 0 && std::isfinite(factor), "rope scaling: the factor is ", factor,
          "; expected one above 0");
  REQUIRE((kind != "llama3" && kind != "yarn" && kind != "longrope") || original_context > 1,
          "rope scaling: ", kind, " needs the original context (original_max_position_embeddings)");
  REQUIRE(kind != "llama3" || high_frequency > low_frequency,
          "rope scaling: high_freq_factor must be above low_freq_factor");
  const auto check_factors = [&](const std::vector<double>& list) {
    REQUIRE(static_cast<int64_t>(list.size()) == head_dim / 2, "rope scaling: ", list.size(),
            " factors for ", head_dim / 2, " frequencies");
    REQUIRE(std::all_of(list.begin(), list.end(), [](double f) { return f > 0; }),
            "rope scaling: a factor is not above 0");
  };
  if (kind == "longrope" || kind == "factors") check_factors(factors);
  if (kind == "longrope") check_factors(long_factors);
}

std::vector<double> RopeScaling::divisors(int64_t head_dim, double theta) const {
  if (kind == "longrope" || kind == "factors") return factors;
  const std::vector<double> frequencies = plain_frequencies(head_dim, theta);
  std::vector<double> result(frequencies.size(), kind == "linear" ? factor : 1.0);
  for (size_t i = 0; i < result.size(); ++i) {
    if (kind == "llama3") result[i] = llama3_divisor(*this, frequencies[i]);
    if (kind == "yarn") result[i] = yarn_divisor(*this, static_cast<int64_t>(i), head_dim, theta);
  }
  return result;
}

double RopeScaling::magnitude() const {
  if (attention_factor > 0) return attention_factor;
  if (factor <= 1) return 1;
  if (kind == "yarn") return 0.1 * std::log(factor) + 1;
  if (kind != "longrope") return 1;
  return std::sqrt(1 + std::log(factor) / std::log(static_cast<double>(original_context)));
}

RopeTable::RopeTable(int64_t head_dim, double theta, const RopeScaling& scaling)
    : head_dim_(head_dim),
      frequencies_(plain_frequencies(head_dim, theta)),
      magnitude_(scaling.magnitude()) {
  scaling.check(head_dim);
  const std::vector<double> divisors = scaling.divisors(head_dim, theta);
  for (size_t i = 0; i < divisors.size(); ++i) frequencies_[i] /= divisors[i];
  if (scaling.kind != "longrope") return;
  original_context_ = scaling.original_context;
  RopeScaling beyond = scaling;
  beyond.kind = "factors";
  beyond.factors = scaling.long_factors;
  beyond.attention_factor = magnitude_;
  beyond_ = std::make_shared<const RopeTable>(head_dim, theta, beyond);
}

void RopeTable::reach(int64_t positions) const {
  if (positions <= positions_) return;
  const int64_t end = std::max(positions, 2 * positions_);
  for (int64_t p = positions_; p < end; ++p) {
    for (const double frequency : frequencies_) {
      const double angle = static_cast<double>(p) * frequency;
      cosines_.push_back(static_cast<float>(magnitude_ * std::cos(angle)));
      sines_.push_back(static_cast<float>(magnitude_ * std::sin(angle)));
    }
  }
  positions_ = end;
}

const RopeTable& RopeTable::for_positions(std::span<const int32_t> positions) const {
  const int64_t end =
      positions.empty() ? 0 : int64_t{*std::max_element(positions.begin(), positions.end())} + 1;
  const RopeTable& table = beyond_ && end > original_context_ ? *beyond_ : *this;
  table.reach(end);
  return table;
}

Tensor rope_in_place(const Tensor& x, std::span<const int32_t> positions, const RopeTable& family,
                     int64_t heads) {
  const int64_t N = x.dim(0), width = x.dim(1), dim = family.head_dim();
  REQUIRE(static_cast<int64_t>(positions.size()) == N && heads * dim <= width,
          "rope: ", positions.size(), " positions and ", heads, " heads of ", dim, " do not fit ",
          x.shape());
  const RopeTable& table = family.for_positions(positions);
  kernels().rope({x.data(), x.dtype()}, positions.data(), table.cosines(), table.sines(), N, heads,
                 dim, width, false);
  Tensor y = x;
  y.set_slot(nullptr);
  if (!recording({x})) return y;
  const auto kept = std::make_shared<std::vector<int32_t>>(positions.begin(), positions.end());
  record("rope", {x}, y, [kept, &table, N, heads, dim, width](const Tensor& dy, Grads& grads) {
    kernels().rope({dy.data(), dy.dtype()}, kept->data(), table.cosines(), table.sines(), N, heads,
                   dim, width, true);
    grads.give(0, dy);
  });
  return y;
}

}  // namespace malssi
