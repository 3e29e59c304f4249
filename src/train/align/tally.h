// Figures gathered over steps for a run's records: means under names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace malssi {

class Tally {
 public:
  void add(std::string_view name, double value);
  void add(const Tally& other);
  // The means, in the order of their first add(). Where "chosen_reward" and "rejected_reward" are among them, also
  // "reward_margin", their difference. Each name begins with `prefix`.
  std::vector<std::pair<std::string, double>> means(std::string_view prefix = "") const;

  Json to_json() const;
  static Tally from_json(const Json& json, std::string_view where);  // throws Error

 private:
  struct Sum {
    std::string name;
    double sum = 0;
    int64_t count = 0;
  };
  Sum& at(std::string_view name);
  const Sum* find(std::string_view name) const;

  std::vector<Sum> sums_;
};

}  // namespace malssi
