#include "infer/mirostat.h"

#include <algorithm>
#include <cmath>

namespace malssi {

void Mirostat::keep(std::vector<Candidate>& all) const {
  const Candidate best = *std::min_element(all.begin(), all.end(), likelier);
  std::erase_if(all, [&](const Candidate& c) {
    return c.id != best.id && -std::log2(c.probability) > bound_;
  });
  normalise(all);
}

void Mirostat::drew(double probability) { bound_ -= eta_ * (-std::log2(probability) - tau_); }

}  // namespace malssi
