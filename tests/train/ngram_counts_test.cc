#include "train/tune/ngram_counts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/random.h"
#include "train/tune/label_loss.h"

namespace malssi {
namespace {

constexpr int64_t kBuckets = 50;

Labels three() { return {.names = {"a", "b", "c"}, .ngrams = {NgramKind::words, 2, kBuckets}}; }

// Texts whose n-grams lean to their label.
LabelledSet texts() {
  LabelledSet set;
  Rng rng(3);
  for (int i = 0; i < 40; ++i) {
    const int64_t label = rng.below(3);
    std::set<int64_t> ngrams;
    while (ngrams.size() < 6)
      ngrams.insert(rng.chance(0.3) ? 10 * label + rng.below(10) : 30 + rng.below(20));
    set.sequences.push_back({.ids = {1}, .label = label, .ngrams = {ngrams.begin(), ngrams.end()}});
  }
  return set;
}

// Naive Bayes as it is written down: log of (texts of the label that hold the n-gram + 1) / (n-grams of its texts + distinct ones).
std::vector<double> bayes(const LabelledSet& counted, const std::vector<int64_t>& ngrams,
                          int64_t distinct) {
  std::map<std::pair<int64_t, int64_t>, double> held;
  std::map<int64_t, double> total, known;
  for (const LabelledSequence& text : counted.sequences)
    for (const int64_t each : text.ngrams)
      ++held[{each, text.label}], ++total[text.label], ++known[each];
  std::vector<double> scores(3, 0);
  double mean = 0;
  for (int64_t label = 0; label < 3; ++label) {
    for (const int64_t each : ngrams)
      if (known.contains(each))
        scores[static_cast<size_t>(label)] +=
            std::log((held[{each, label}] + 1) / (total[label] + static_cast<double>(distinct)));
    mean += scores[static_cast<size_t>(label)] / 3;
  }
  for (double& score : scores) score -= mean;
  return scores;
}

int64_t distinct(const LabelledSet& set) {
  std::set<int64_t> found;
  for (const LabelledSequence& text : set.sequences)
    found.insert(text.ngrams.begin(), text.ngrams.end());
  return std::ssize(found);
}

TEST(NgramCounts, TheTableIsNaiveBayesTimesTheScale) {
  const LabelledSet set = texts();
  const NgramCounts counts(set, three());
  EXPECT_GT(counts.scale(), 0);
  Tensor table = Tensor::full({kBuckets, 3}, 9);
  counts.fill(table);
  for (int64_t bucket = 0; bucket < kBuckets; ++bucket) {
    const std::vector<double> want = bayes(set, {bucket}, distinct(set));
    for (int64_t label = 0; label < 3; ++label)
      EXPECT_NEAR(table.f32()[bucket * 3 + label],
                  counts.scale() * want[static_cast<size_t>(label)], 1e-6);
  }
}

TEST(NgramCounts, ATextIsScoredByTheOthersAlone) {
  const LabelledSet set = texts();
  const NgramCounts counts(set, three());
  for (int64_t i = 0; i < set.size(); ++i) {
    LabelledSet others = set;
    others.sequences.erase(others.sequences.begin() + i);
    const auto want = bayes(others, set.sequences[static_cast<size_t>(i)].ngrams, distinct(set));
    const std::vector<float> got = counts.scores_without(i);
    for (size_t label = 0; label < 3; ++label)
      EXPECT_NEAR(got[label], counts.scale() * want[label], 1e-5) << i;
  }
}

TEST(NgramCounts, TheScaleIsTheLikeliestAndTheAccuracyThatOfTheScores) {
  const LabelledSet set = texts();
  const NgramCounts counts(set, three());
  const auto loss = [&](double factor) {
    double sum = 0;
    for (int64_t i = 0; i < set.size(); ++i) {
      std::vector<float> scores = counts.scores_without(i);
      for (float& score : scores) score *= static_cast<float>(factor);
      sum += class_loss(scores, set.sequences[static_cast<size_t>(i)].label, 1).value;
    }
    return sum;
  };
  EXPECT_LT(loss(1), loss(0.9));
  EXPECT_LT(loss(1), loss(1.1));
  EXPECT_GT(counts.accuracy(), 1.0 / 3);
  EXPECT_LT(counts.accuracy(), 1);
}

}  // namespace
}  // namespace malssi
