// How much a nat of distance from the reference costs: a fixed weight, or one that steers the distance to a target (Ziegler et
// al. 2019, section 2.2).
#pragma once

#include <cstdint>

namespace malssi {

struct KlOptions {
  double beta = 0.2;  // the weight, at first
  bool is_adaptive = true;
  double target = 6;       // nats of a whole answer
  double horizon = 10000;  // answers after which an error of 1 would double the weight
};

class KlControl {
 public:
  explicit KlControl(const KlOptions& options) : options_(options), beta_(options.beta) {}

  double beta() const { return beta_; }
  // After so many answers whose mean distance was kl: the error is held within 1/5 of the target.
  void update(double kl, int64_t answers);
  void restore(double beta) { beta_ = beta; }

 private:
  KlOptions options_;
  double beta_;
};

}  // namespace malssi
