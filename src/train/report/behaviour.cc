#include "train/report/behaviour.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "text/answer_traits.h"

namespace malssi {
namespace {

constexpr double kSure = 1.96;          // standard errors
constexpr double kPoints = 0.05;        // by which a share must change to matter
constexpr double kLonger = 1.3;         // times as many words
constexpr double kLessDistinct = 0.05;  // of distinct-2

struct NamedShare {
  const char* name;
  const char* finding;
  Seen Behaviour::*seen;
};

constexpr NamedShare kShares[] = {
    {"refusals", "more answers are refusals", &Behaviour::refusals},
    {"empty", "more answers are empty", &Behaviour::empty},
    {"unfinished", "more answers come to no end", &Behaviour::unfinished},
    {"loops", "more answers end in a loop", &Behaviour::loops},
    {"other language", "more answers are in another language than the prompt",
     &Behaviour::switches},
};

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }
std::string shown(const Seen& seen) { return seen.of > 0 ? percent(seen.share()) : "-"; }
std::string shown(const Average& average) {
  return average.of > 0 ? human_number(average.mean()) : "-";
}

// Standard errors by which the second share is above the first (two proportions, pooled).
double errors_above(const Seen& before, const Seen& after) {
  if (before.of == 0 || after.of == 0) return 0;
  const auto n = static_cast<double>(before.of), m = static_cast<double>(after.of);
  const double pooled = static_cast<double>(before.count + after.count) / (n + m);
  const double variance = pooled * (1 - pooled) * (1 / n + 1 / m);
  return variance > 0 ? (after.share() - before.share()) / std::sqrt(variance) : 0;
}

double errors_above(const Average& before, const Average& after) {
  if (before.of < 2 || after.of < 2) return 0;
  const double variance = before.variance_of_mean() + after.variance_of_mean();
  const double more = after.mean() - before.mean();
  if (variance > 0) return more / std::sqrt(variance);
  return more == 0 ? 0 : std::copysign(HUGE_VAL, more);
}

Json known(const Seen& seen) { return seen.of > 0 ? Json(seen.share()) : Json(); }
Json known(const Average& average) { return average.of > 0 ? Json(average.mean()) : Json(); }

// A reward that rises while less is right is being gamed (Goodhart's law).
std::optional<std::string> hacking(const Behaviour& before, const Behaviour& after) {
  if (errors_above(before.reward, after.reward) < kSure) return {};
  if (errors_above(after.right, before.right) < kSure) return {};
  return fmt::format(
      "reward hacking: the mean reward rises from {} to {} while right answers fall from {} to {}",
      shown(before.reward), shown(after.reward), shown(before.right), shown(after.right));
}

}  // namespace

double Average::variance_of_mean() const {
  if (of < 2) return 0;
  const auto n = static_cast<double>(of);
  return std::max(0.0, (squares - sum * sum / n) / (n - 1) / n);
}

void Behaviour::add(std::string_view prompt, std::string_view answer, std::optional<bool> ended) {
  const AnswerTraits traits = answer_traits(prompt, answer);
  refusals.add(traits.is_refusal);
  empty.add(traits.is_empty);
  loops.add(traits.is_loop);
  switches.add(traits.switches_language);
  if (ended) unfinished.add(!*ended);
  words.add(traits.words);
  if (traits.distinct >= 0) distinct.add(traits.distinct);
}

std::vector<BehaviourRow> behaviour_rows(const Behaviour& before, const Behaviour& after) {
  std::vector<BehaviourRow> rows;
  for (const NamedShare& each : kShares)
    rows.push_back({each.name, shown(before.*each.seen), shown(after.*each.seen)});
  rows.push_back({"words an answer", shown(before.words), shown(after.words)});
  rows.push_back({"distinct-2", shown(before.distinct), shown(after.distinct)});
  if (after.right.of > 0) rows.push_back({"right", shown(before.right), shown(after.right)});
  if (after.reward.of > 0) rows.push_back({"reward", shown(before.reward), shown(after.reward)});
  if (after.divergence) rows.push_back({"KL, nats a token", "0", human_number(*after.divergence)});
  return rows;
}

Json to_json(const Behaviour& behaviour) {
  return {{"answers", behaviour.words.of},
          {"refusals", known(behaviour.refusals)},
          {"empty", known(behaviour.empty)},
          {"unfinished", known(behaviour.unfinished)},
          {"loops", known(behaviour.loops)},
          {"other_language", known(behaviour.switches)},
          {"words", known(behaviour.words)},
          {"distinct_2", known(behaviour.distinct)},
          {"right", known(behaviour.right)},
          {"reward", known(behaviour.reward)},
          {"divergence", behaviour.divergence ? Json(*behaviour.divergence) : Json()}};
}

std::vector<std::string> behaviour_findings(const Behaviour& before, const Behaviour& after,
                                            double limit) {
  std::vector<std::string> all;
  for (const NamedShare& each : kShares) {
    const Seen &a = before.*each.seen, &b = after.*each.seen;
    if (errors_above(a, b) >= kSure && b.share() - a.share() >= kPoints)
      all.push_back(fmt::format("{}: {}, before {}", each.finding, shown(b), shown(a)));
  }
  if (errors_above(before.words, after.words) >= kSure &&
      after.words.mean() >= kLonger * before.words.mean())
    all.push_back(
        fmt::format("answers grow: {} words, before {}", shown(after.words), shown(before.words)));
  if (errors_above(after.distinct, before.distinct) >= kSure &&
      before.distinct.mean() - after.distinct.mean() >= kLessDistinct)
    all.push_back(fmt::format("answers repeat themselves: distinct-2 {}, before {}",
                              shown(after.distinct), shown(before.distinct)));
  if (after.divergence && *after.divergence > limit)
    all.push_back(fmt::format("far from the base: a KL of {} nats a token, above {}",
                              human_number(*after.divergence), human_number(limit)));
  if (errors_above(after.right, before.right) >= kSure)
    all.push_back(fmt::format("fewer answers are right: {}, before {}", shown(after.right),
                              shown(before.right)));
  if (const auto found = hacking(before, after)) all.push_back(*found);
  return all;
}

}  // namespace malssi
