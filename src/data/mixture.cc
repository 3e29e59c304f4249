#include "data/mixture.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"

namespace malssi {
namespace {

constexpr double kMostWeight = 1000;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Where the weight begins, behind its colon; npos where there is none.
size_t weight_begin(const std::string& spec) {
  const size_t colon = spec.rfind(':');
  if (colon == spec.npos || path_exists(spec) || !number(spec.substr(colon + 1))) return spec.npos;
  return colon + 1;
}

}  // namespace

MixPart mix_part(const std::string& spec) {
  REQUIRE(!spec.empty(), "the name of a data file is empty: give --data FILE or FILE:WEIGHT");
  const size_t at = weight_begin(spec);
  if (at == spec.npos) return {.file = spec};
  const double weight = *number(spec.substr(at));
  REQUIRE(weight > 0 && weight <= kMostWeight, "data \"", spec, "\": the weight ", weight,
          ", expected more than 0 and at most ", kMostWeight);
  return {.file = spec.substr(0, at - 1), .weight = weight};
}

std::vector<MixPart> mix_parts(std::span<const std::string> specs) {
  std::vector<MixPart> parts;
  for (const std::string& spec : specs) parts.push_back(mix_part(spec));
  return parts;
}

void make_mix_absolute(std::vector<std::string>& specs) {
  for (std::string& spec : specs) {
    const size_t at = weight_begin(spec);
    const std::string weight = at == spec.npos ? "" : spec.substr(at - 1);
    spec = fs::absolute(mix_part(spec).file).lexically_normal().string() + weight;
  }
}

std::vector<double> mixing_weights(std::vector<double> weights) {
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 1; })) weights.clear();
  return weights;
}

}  // namespace malssi
