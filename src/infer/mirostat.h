// Mirostat 2 (Basu et al. 2021, version 2 of its authors' code): drops tokens whose surprise, -log2
// p, exceeds a bound, and moves the bound after each draw so that the surprise of what is drawn
// stays near tau bits.
#pragma once

#include <vector>

#include "infer/filters.h"

namespace malssi {

class Mirostat {
 public:
  explicit Mirostat(const MirostatOptions& options)
      : tau_(options.tau), eta_(options.eta), bound_(2 * options.tau) {}

  // Leaves the tokens within the bound, or the likeliest alone. `all` sums to 1, before and after.
  void keep(std::vector<Candidate>& all) const;
  // A token was drawn that had this probability among those left.
  void drew(double probability);
  double bound() const { return bound_; }

 private:
  double tau_, eta_, bound_;  // bits
};

}  // namespace malssi
