// From the score of a whole answer to how much better than expected each of its tokens was: rewards held to the reference by a
// penalty per token, and generalised advantage estimation (Schulman et al. 2016, equations 11 and 16). Masks and padding do not
// occur: an answer is a row of its own length.
#pragma once

#include <span>
#include <vector>

namespace malssi {

// Of an answer's tokens: -beta (log policy - log reference), and with the last token the score (Ouyang et al. 2022, equation 2).
std::vector<double> penalised_rewards(std::span<const float> policy,
                                      std::span<const float> reference, double score, double beta);

struct Advantages {
  std::vector<double> advantages;
  std::vector<double> returns;  // what the values should have been: advantage + value
};

// values: before each token. After the last there is nothing more to get.
Advantages gae(std::span<const double> rewards, std::span<const float> values, double gamma,
               double lambda);

enum class Whitening { full, keep_mean };

// Divides all numbers of all rows by their common standard deviation (of the population; 1e-8 is added to the variance) after
// taking off their mean, which keep_mean puts back.
void whiten(std::vector<std::vector<double>>& rows, Whitening kind);

}  // namespace malssi
