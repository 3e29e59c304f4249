// Several data sets in one run: "FILE:WEIGHT" says how often each record of a file comes in an epoch (2 = twice, 0.5 = in every other
// epoch); FILE alone means once.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace malssi {

struct MixPart {
  fs::path file;
  double weight = 1;
};

// A file whose whole name ends in ":NUMBER" is taken as it is. Throws Error: a weight that is not above 0 and at most 1000.
MixPart mix_part(const std::string& spec);
std::vector<MixPart> mix_parts(std::span<const std::string> specs);

// Files made absolute, weights kept.
void make_mix_absolute(std::vector<std::string>& specs);

// Empty where all are 1: nothing is mixed then.
std::vector<double> mixing_weights(std::vector<double> weights);

}  // namespace malssi
