// The losses of task heads, as functions of a sequence's scores, with their derivatives.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace malssi {

struct LabelLoss {
  double value = 0;
  std::vector<double> derivatives = {};  // by each score
};

// weight * -log softmax(scores)[label].
LabelLoss class_loss(std::span<const float> scores, int64_t label, double weight);
// The same where the label may be wrong (Burns et al. 2023: Weak-to-Strong Generalization, section 4.3.2): `own` of it is the
// cross-entropy of the likeliest class, which counts as a label here, the rest that of the label.
LabelLoss confident_loss(std::span<const float> scores, int64_t label, double weight, double own);
// (score - value)^2.
LabelLoss regression_loss(std::span<const float> scores, double value);

// Weights under which every class counts the same: records / (classes * records of the class); a class without records: 1.
std::vector<double> balanced_weights(std::span<const int64_t> records_of_class);

}  // namespace malssi
