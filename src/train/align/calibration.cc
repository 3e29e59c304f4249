#include "train/align/calibration.h"

#include <algorithm>
#include <cmath>

namespace malssi {

Interval share_interval(double share, int64_t n) {
  if (n <= 0) return {};
  constexpr double kZ = 1.959963984540054;
  const double count = static_cast<double>(n), square = kZ * kZ / count;
  const double centre = (share + square / 2) / (1 + square);
  const double half =
      kZ / (1 + square) * std::sqrt(share * (1 - share) / count + square / (4 * count));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

void add_interval(std::vector<std::pair<std::string, double>>& figures, const std::string& name,
                  int64_t n) {
  const auto found = std::ranges::find(figures, name, &std::pair<std::string, double>::first);
  if (found == figures.end()) return;
  const Interval interval = share_interval(found->second, n);
  figures.emplace_back(name + "_low", interval.low);
  figures.emplace_back(name + "_high", interval.high);
}

void Calibration::add(double probability, double weight) {
  const double confidence = std::max(probability, 1 - probability);
  const auto bin = static_cast<size_t>(std::clamp((confidence - 0.5) * 20, 0.0, 9.0));
  bins_[bin].weight += weight;
  bins_[bin].confidence += weight * confidence;
  bins_[bin].right += weight * (probability > 0.5 ? 1 : 0);
}

double Calibration::error() const {
  double off = 0, weight = 0;
  for (const Bin& bin : bins_) {
    off += std::abs(bin.confidence - bin.right);
    weight += bin.weight;
  }
  return weight > 0 ? off / weight : 0;
}

}  // namespace malssi
