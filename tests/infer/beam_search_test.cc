#include "infer/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "infer/fake_predictor.h"
#include "infer/logprobs.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

std::vector<float> logs(const std::vector<double>& probabilities) {
  std::vector<float> row;
  for (const double p : probabilities) row.push_back(static_cast<float>(std::log(p)));
  return row;
}

std::vector<float> rows(const std::vector<std::vector<double>>& all) {
  std::vector<float> out;
  for (const auto& row : all)
    for (const float x : logs(row)) out.push_back(x);
  return out;
}

// Every answer of at most max_tokens, scored; best first.
std::vector<BeamAnswer> all_answers(const FakePredictor::Table& table, const Ids& prompt,
                                    const BeamOptions& options) {
  std::vector<BeamAnswer> found;
  const std::function<void(BeamAnswer)> walk = [&](const BeamAnswer& so_far) {
    Ids history = prompt;
    history.insert(history.end(), so_far.ids.begin(), so_far.ids.end());
    std::vector<float> row = table(history);
    log_softmax(row);
    for (size_t token = 0; token < row.size(); ++token) {
      BeamAnswer longer = so_far;
      longer.ids.push_back(static_cast<int32_t>(token));
      longer.logprobs.push_back(row[token]);
      longer.logprob += row[token];
      const auto length = static_cast<double>(longer.ids.size());
      longer.score = longer.logprob / std::pow(length, options.length_penalty);
      const auto& ends = options.end_tokens;
      longer.ended = std::find(ends.begin(), ends.end(), longer.ids.back()) != ends.end();
      if (longer.ended || static_cast<int64_t>(longer.ids.size()) == options.max_tokens)
        found.push_back(longer);
      else
        walk(longer);
    }
  };
  walk({});
  std::stable_sort(found.begin(), found.end(),
                   [](const BeamAnswer& a, const BeamAnswer& b) { return a.score > b.score; });
  return found;
}

TEST(BeamSearch, FindsTheBestAnswersOfAllWithBeamsEnough) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    for (const double length_penalty : {0.0, 1.0, 2.0, -1.0}) {
      const int64_t vocab = 4;
      const auto table = random_table(vocab, seed);
      const BeamOptions options{.beams = 256,
                                .n_best = 20,
                                .length_penalty = length_penalty,
                                .early_stopping = EarlyStopping::never,
                                .max_tokens = 4,
                                .end_tokens = {0}};
      FakePredictor model(table, vocab, options.beams);
      const auto found = beam_search(model, Ids{2, 3}, options);
      const auto expected = all_answers(table, {2, 3}, options);
      ASSERT_EQ(found.size(), 20u);
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].ids, expected[i].ids) << "seed " << seed << ", place " << i;
        EXPECT_NEAR(found[i].score, expected[i].score, 1e-9);
        EXPECT_EQ(found[i].ended, expected[i].ended);
      }
    }
  }
}

TEST(BeamSearch, FewBeamsNeverBeatTheBestAnswerAndManyFindIt) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const auto table = random_table(5, seed);
    BeamOptions options{.early_stopping = EarlyStopping::never, .max_tokens = 4, .end_tokens = {4}};
    const double best = all_answers(table, {1}, options).front().score;
    for (const int64_t beams : {1, 2, 3, 8}) {
      options.beams = beams;
      FakePredictor model(table, 5, beams);
      EXPECT_LE(beam_search(model, Ids{1}, options).front().score, best + 1e-9);
    }
    options.beams = 700;
    FakePredictor model(table, 5, 700);
    EXPECT_NEAR(beam_search(model, Ids{1}, options).front().score, best, 1e-9);
  }
}

TEST(BeamSearch, OneBeamWithoutEndTokensIsGreedy) {
  const auto table = random_table(6, 5);
  FakePredictor model(table, 6);
  const auto found = beam_search(model, Ids{0}, {.beams = 1, .max_tokens = 8});
  Ids history = {0};
  for (int i = 0; i < 8; ++i) history.push_back(argmax(table(history)));
  history.erase(history.begin());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].ids, history);
}

TEST(BeamSearch, KeepsTheModelsCachesInStepWithItsBeams) {
  // The table depends on the whole history, so a beam that lands in a wrong slot gives other
  // log-probabilities.
  const auto table = random_table(7, 9);
  FakePredictor model(table, 7, 5);
  const auto found = beam_search(model, Ids{3, 1}, {.beams = 5, .n_best = 5, .max_tokens = 12});
  ASSERT_EQ(found.size(), 5u);
  for (const BeamAnswer& answer : found) {
    Ids history = {3, 1};
    for (size_t i = 0; i < answer.ids.size(); ++i) {
      std::vector<float> row = table(history);
      log_softmax(row);
      EXPECT_NEAR(answer.logprobs[i], row[static_cast<size_t>(answer.ids[i])], 1e-6);
      history.push_back(answer.ids[i]);
    }
  }
}

TEST(BeamSearch, AnEndTokenCountsOnlyAmongTheFirstBeams) {
  // Two beams; the end token (0) ranks third: it must be skipped though it is among the four
  // continuations.
  BeamSearch search({.beams = 2, .max_tokens = 2, .end_tokens = {0}});
  const auto& steps = search.advance(logs({0.2, 0.4, 0.3, 0.1}), 4);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].token, 1);
  EXPECT_EQ(steps[1].token, 2);
  EXPECT_FALSE(search.answers().empty());  // the running ones
  EXPECT_FALSE(search.answers().front().ended);
}

TEST(BeamSearch, AnEndTokenAmongTheFirstBeamsFinishesAndTheOthersGoOn) {
  BeamSearch search({.beams = 2, .max_tokens = 5, .end_tokens = {0}});
  const auto& steps = search.advance(logs({0.35, 0.4, 0.15, 0.1}), 4);
  ASSERT_EQ(steps.size(), 2u);  // the end token's place is filled by the next in rank
  EXPECT_EQ(steps[0].token, 1);
  EXPECT_EQ(steps[1].token, 2);
  const auto answers = search.answers();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].ids, Ids{0});
  EXPECT_TRUE(answers[0].ended);
  EXPECT_NEAR(answers[0].score, std::log(0.35), 1e-6);
}

TEST(BeamSearch, ScoresAreDividedByLengthToThePenalty) {
  for (const double penalty : {0.0, 0.5, 1.0, 2.0}) {
    BeamSearch search({.beams = 1, .length_penalty = penalty, .max_tokens = 9, .end_tokens = {0}});
    search.advance(logs({0.1, 0.9}), 2);
    search.advance(logs({0.8, 0.2}), 2);
    const auto answers = search.answers();
    ASSERT_TRUE(answers[0].ended);
    EXPECT_NEAR(answers[0].score, std::log(0.9 * 0.8) / std::pow(2.0, penalty), 1e-6);
  }
}

// One step in which both beams' worth of answers are finished while a running beam is left, which
// could still win.
BeamSearch with_two_finished(EarlyStopping stopping, double length_penalty = 1.0) {
  BeamSearch search({.beams = 2,
                     .length_penalty = length_penalty,
                     .early_stopping = stopping,
                     .max_tokens = 10,
                     .end_tokens = {0}});
  search.advance(logs({0.3, 0.6, 0.1}), 3);                     // finishes {0} at log 0.3
  search.advance(rows({{0.6, 0.3, 0.1}, {0.1, 0.2, 0.7}}), 3);  // finishes {1, 0} at log 0.36 / 2
  return search;
}

TEST(BeamSearch, WhenFullStopsOnceEnoughIsFinished) {
  auto search = with_two_finished(EarlyStopping::when_full);
  EXPECT_EQ(search.answers().front().ids, (Ids{1, 0}));
  EXPECT_THROW(search.advance(logs({0.5, 0.5, 0.1}), 3), InternalError);  // it is over
}

TEST(BeamSearch, HeuristicGoesOnWhileTheRunningBeamCouldWinAtItsLength) {
  // Running: {1, 1} at log 0.18 / 2 = -0.857 against the worst finished, log 0.3 = -1.204.
  auto search = with_two_finished(EarlyStopping::heuristic);
  EXPECT_EQ(search.advance(rows({{0.1, 0.1, 0.8}, {0.1, 0.1, 0.8}}), 3).size(), 2u);
  // Without a length penalty log 0.18 = -1.71 cannot beat -1.204 any more.
  auto over = with_two_finished(EarlyStopping::heuristic, 0.0);
  EXPECT_THROW(over.advance(logs({0.5, 0.5, 0.1}), 3), InternalError);
}

TEST(BeamSearch, NeverGoesOnUntilTheGreatestLengthCannotHelp) {
  // After a third step the running beam has log(0.18 * 0.05): -1.57 at length 3 loses to -1.204,
  // but at length 10 it would have -0.47.
  const std::vector<float> third = rows({{0.001, 0.05, 0.002}, {0.001, 0.002, 0.003}});
  auto heuristic = with_two_finished(EarlyStopping::heuristic);
  EXPECT_TRUE(heuristic.advance(third, 3).empty());
  auto never = with_two_finished(EarlyStopping::never);
  EXPECT_EQ(never.advance(third, 3).size(), 2u);
}

TEST(BeamSearch, AtTheLastTokenOnlyTheFirstBeamsCount) {
  BeamSearch search({.beams = 2, .n_best = 2, .max_tokens = 1});
  EXPECT_TRUE(search.advance(logs({0.1, 0.2, 0.3, 0.4}), 4).empty());
  const auto answers = search.answers();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].ids, Ids{3});
  EXPECT_EQ(answers[1].ids, Ids{2});
  EXPECT_FALSE(answers[0].ended);
}

TEST(BeamSearch, RanksMoreContinuationsWithSeveralEndTokens) {
  // Two beams, three end tokens: 8 continuations are ranked, so two tokens that go on are found
  // behind three that end.
  BeamSearch search({.beams = 2,
                     .early_stopping = EarlyStopping::never,
                     .max_tokens = 5,
                     .end_tokens = {0, 1, 2}});
  const auto& steps = search.advance(logs({0.3, 0.25, 0.2, 0.15, 0.1}), 5);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].token, 3);
  EXPECT_EQ(steps[1].token, 4);
}

TEST(BeamSearch, AFurtherStopConditionEndsAnswers) {
  const auto table = random_table(5, 21);
  const auto ends = [](std::span<const int32_t> ids) {
    return ids.size() >= 2 && ids[ids.size() - 2] == ids.back();
  };
  FakePredictor model(table, 5, 3);
  const auto found =
      beam_search(model, Ids{0}, {.beams = 3, .n_best = 3, .max_tokens = 12, .ends = ends});
  for (const BeamAnswer& answer : found) {
    EXPECT_EQ(answer.ended, ends(answer.ids));
    for (size_t n = 1; n < answer.ids.size(); ++n)
      EXPECT_FALSE(ends(std::span(answer.ids).first(n)));
  }
}

TEST(BeamSearch, ARepetitionPenaltyActsOnLogProbabilitiesOfTokensSeen) {
  BeamSearch search({.beams = 1, .max_tokens = 3, .repetition_penalty = 2.0}, Ids{1});
  // Token 1 was in the prompt: 2 x log 0.6 = log 0.36 loses to 0.4.
  EXPECT_EQ(search.advance(logs({0.4, 0.6}), 2).front().token, 0);
  // Now both were seen: token 1 leads again.
  EXPECT_EQ(search.advance(logs({0.4, 0.6}), 2).front().token, 1);
}

TEST(BeamSearch, NeverChoosesIdsBeyondTheUsableVocabulary) {
  FakePredictor model([](const Ids&) { return std::vector<float>{1, 2, 9}; }, 3, 2);
  const auto found = beam_search(model, Ids{0}, {.beams = 2, .n_best = 2, .max_tokens = 3}, 2);
  for (const BeamAnswer& answer : found)
    for (const int32_t id : answer.ids) EXPECT_LT(id, 2);
  EXPECT_EQ(found[0].ids, (Ids{1, 1, 1}));
}

TEST(BeamSearch, RefusesImpossibleSettings) {
  EXPECT_THROW(BeamSearch({.beams = 0}), Error);
  EXPECT_THROW(BeamSearch({.beams = 2, .n_best = 3}), Error);
  EXPECT_THROW(BeamSearch({.max_tokens = 0}), Error);
  EXPECT_THROW(BeamSearch({.length_penalty = std::nan("")}), Error);
  EXPECT_THROW(early_stopping_from("maybe"), Error);
}

}  // namespace
}  // namespace malssi
