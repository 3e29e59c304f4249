#include "infer/dry.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "infer/penalties.h"

namespace malssi {

namespace {

// For each i the length of the longest common prefix of `all` and its suffix from i (the Z
// algorithm: Gusfield 1997, section 1.4).
std::vector<int64_t> prefix_matches(std::span<const int32_t> all) {
  const auto size = static_cast<int64_t>(all.size());
  const auto at = [&](int64_t i) { return all[static_cast<size_t>(i)]; };
  std::vector<int64_t> matches(all.size(), 0);
  int64_t left = 0, right = 0;  // the match that reaches furthest
  for (int64_t i = 1; i < size; ++i) {
    int64_t length = 0;
    if (i < right) length = std::min(right - i, matches[static_cast<size_t>(i - left)]);
    while (i + length < size && at(length) == at(i + length)) ++length;
    matches[static_cast<size_t>(i)] = length;
    if (i + length > right) {
      left = i;
      right = i + length;
    }
  }
  return matches;
}

}  // namespace

void penalise_dry(std::span<float> logits, std::span<const int32_t> history,
                  const DryOptions& options) {
  const std::span<const int32_t> window = latest(history, options.window);
  const std::vector<int32_t> backwards(window.rbegin(), window.rend());
  const auto breaker = std::find_first_of(backwards.begin(), backwards.end(),
                                          options.breakers.begin(), options.breakers.end());
  const int64_t reach = breaker - backwards.begin();
  if (options.multiplier == 0 || reach < options.allowed_length) return;
  const std::vector<int64_t> matches = prefix_matches(backwards);
  std::unordered_map<int32_t, int64_t> longest;  // by the token that would lengthen it
  for (size_t i = 1; i < backwards.size(); ++i) {
    const int64_t length = std::min(matches[i], reach);
    if (length < options.allowed_length) continue;
    int64_t& known = longest[backwards[i - 1]];
    known = std::max(known, length);
  }
  constexpr double kMost = 1e30;  // a float, so that the least likely tokens keep their order
  for (const auto& [id, length] : longest) {
    if (id >= static_cast<int64_t>(logits.size())) continue;
    const double power =
        std::pow(options.base, static_cast<double>(length - options.allowed_length));
    logits[static_cast<size_t>(id)] -=
        static_cast<float>(std::min(options.multiplier * power, kMost));
  }
}

std::vector<int32_t> dry_breaker_ids(const Tokenizer& tokenizer,
                                     std::span<const std::string> breakers) {
  for (const std::string& text : breakers)
    REQUIRE(!text.empty(), "a DRY breaker is empty: give the text that ends a repetition");
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    const auto is_in = [&](const std::string& text) { return bytes.find(text) != bytes.npos; };
    if (std::any_of(breakers.begin(), breakers.end(), is_in)) ids.push_back(id);
  }
  return ids;
}

std::vector<std::string> usual_dry_breakers() { return {"\n", ":", "\"", "*"}; }

}  // namespace malssi
