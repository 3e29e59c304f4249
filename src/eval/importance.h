// The importance of a weight's columns for quantising it (an "importance matrix"): the mean square of the input that each is
// multiplied with, over a calibration text.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/model.h"

namespace malssi {

using Importance = std::map<std::string, std::vector<float>>;  // by a weight's name

class ImportanceCollector {
 public:
  // The model must stay, with its weights where they are.
  explicit ImportanceCollector(Model& model);
  // Windows of at most `window` tokens go through the model.
  void add(std::span<const int32_t> ids, int64_t window);
  int64_t tokens() const { return tokens_; }
  // By published name of the weight: [columns]. Without those that saw nothing: experts whom no token was sent to.
  Importance importance() const;

 private:
  struct Sums {
    std::vector<std::string> names;
    std::vector<double> squares;  // [columns]
    int64_t rows = 0;
  };
  void see(const Tensor& x, std::span<const Tensor> weights);

  Model& model_;
  std::map<const void*, Sums> sums_;  // by where a weight lies
  int64_t tokens_ = 0;
};

// The same by GGUF's name, where experts lie in one tensor: [experts, columns] of these, where one that saw nothing has the
// mean of the others.
Importance gguf_importance(Model& model, const Importance& published);

}  // namespace malssi
