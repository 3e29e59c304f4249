#include "train/align/tally.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {

Tally::Sum& Tally::at(std::string_view name) {
  const auto found = std::ranges::find(sums_, name, &Sum::name);
  if (found != sums_.end()) return *found;
  sums_.push_back({.name = std::string(name)});
  return sums_.back();
}

const Tally::Sum* Tally::find(std::string_view name) const {
  const auto found = std::ranges::find(sums_, name, &Sum::name);
  return found == sums_.end() ? nullptr : &*found;
}

void Tally::add(std::string_view name, double value) {
  Sum& sum = at(name);
  sum.sum += value;
  ++sum.count;
}

void Tally::add(const Tally& other) {
  for (const Sum& each : other.sums_) {
    Sum& sum = at(each.name);
    sum.sum += each.sum;
    sum.count += each.count;
  }
}

std::vector<std::pair<std::string, double>> Tally::means(std::string_view prefix) const {
  const auto mean = [](const Sum& sum) { return sum.sum / static_cast<double>(sum.count); };
  std::vector<std::pair<std::string, double>> list;
  for (const Sum& each : sums_) list.emplace_back(concat(prefix, each.name), mean(each));
  const Sum *chosen = find("chosen_reward"), *rejected = find("rejected_reward");
  if (chosen && rejected)
    list.emplace_back(concat(prefix, "reward_margin"), mean(*chosen) - mean(*rejected));
  return list;
}

Json Tally::to_json() const {
  Json list = Json::array();
  for (const Sum& each : sums_)
    list.push_back({{"name", each.name}, {"sum", each.sum}, {"count", each.count}});
  return list;
}

Tally Tally::from_json(const Json& json, std::string_view where) {
  Tally tally;
  REQUIRE(json.is_array(), where, ": the figures so far are damaged");
  for (const Json& each : json) {
    Sum& sum = tally.at(get<std::string>(each, "name", where));
    sum.sum = get<double>(each, "sum", where);
    sum.count = get<int64_t>(each, "count", where);
    REQUIRE(sum.count > 0, where, ": the figures so far are damaged");
  }
  return tally;
}

}  // namespace malssi
