#include "infer/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "infer/fake_predictor.h"
#include "scratch.h"
#include "text/tokenizer.h"

namespace malssi {
namespace {

constexpr int64_t kVocab = 256;

GenerateOptions greedy(int64_t tokens) {
  return {.sampling = {.temperature = 0}, .max_tokens = tokens};
}

std::vector<int32_t> ids_of(const Generation& answer) {
  std::vector<int32_t> ids;
  for (const GeneratedToken& token : answer.tokens) ids.push_back(token.id);
  return ids;
}

// Collects answers by the order in which they were asked for.
class Asker {
 public:
  Asker(Predictor& predictor, const Tokenizer& tokenizer, EngineOptions options = {})
      : engine(predictor, tokenizer, options) {}
  void ask(EngineRequest request) {
    request.on_done = [this, i = asked_++](Generation done) { answers[i] = std::move(done); };
    engine.submit(std::move(request));
  }

  Engine engine;
  std::map<int, Generation> answers;

 private:
  int asked_ = 0;
};

TEST(Engine, AnswersAreThoseOfOneAtATime) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor many(random_table(kVocab, 7), kVocab, 3), one(random_table(kVocab, 7), kVocab, 1);
  Asker together(many, *tokenizer, {.pass_tokens = 4}), alone(one, *tokenizer);
  for (int32_t i = 0; i < 9; ++i) {
    GenerateOptions options = greedy(3 + i);
    options.sampling = {.temperature = 0.8, .seed = static_cast<uint64_t>(i)};
    const EngineRequest request{.prompt = std::vector<int32_t>(static_cast<size_t>(1 + 3 * i), i),
                                .options = options};
    together.ask(request);
    alone.ask(request);
  }
  together.engine.run();
  alone.engine.run();
  ASSERT_EQ(together.answers.size(), 9u);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(ids_of(together.answers[i]), ids_of(alone.answers[i])) << i;
}

TEST(Engine, ReadsALongPromptWithoutHoldingUpARunningAnswer) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 2, 1000);
  Asker asker(predictor, *tokenizer, {.pass_tokens = 8});
  asker.ask({.prompt = {1, 2}, .options = greedy(30)});
  asker.engine.pass();
  asker.ask({.prompt = std::vector<int32_t>(100, 5), .options = greedy(2)});
  for (int i = 0; i < 10; ++i) asker.engine.pass();
  EXPECT_EQ(asker.engine.statistics().answer_tokens, 11);
  asker.engine.run();
  EXPECT_EQ(asker.answers.size(), 2u);
}

TEST(Engine, SharesABeginningAmongRequestsOfOneOwnerOnly) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 2);
  Asker asker(predictor, *tokenizer);
  const std::vector<int32_t> first = {1, 2, 3, 4, 5, 6}, second = {1, 2, 3, 4, 9, 9};
  asker.ask({.prompt = first, .options = greedy(1), .owner = "a"});
  asker.engine.run();
  asker.ask({.prompt = second, .options = greedy(1), .owner = "b"});
  asker.engine.run();
  EXPECT_EQ(asker.engine.statistics().reused_tokens, 0);
  asker.ask({.prompt = first, .options = greedy(1), .owner = "a"});
  asker.engine.run();
  EXPECT_EQ(asker.engine.statistics().reused_tokens, 5);
  EXPECT_EQ(asker.answers[2].reused_tokens, 5);
  EXPECT_EQ(ids_of(asker.answers[2]), ids_of(asker.answers[0]));
}

TEST(Engine, SharesWithARunningRequest) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 2);
  Asker asker(predictor, *tokenizer);
  const std::vector<int32_t> prompt = {1, 2, 3, 4, 5, 6};
  asker.ask({.prompt = prompt, .options = greedy(5)});
  asker.engine.pass();
  asker.ask({.prompt = prompt, .options = greedy(5)});
  asker.engine.run();
  EXPECT_EQ(asker.engine.statistics().reused_tokens, 5);
  EXPECT_EQ(ids_of(asker.answers[0]), ids_of(asker.answers[1]));
}

// The next token is the one that followed the last time: what look-up drafts is always right here.
FakePredictor::Table repeating_table(int64_t period) {
  return [=](const std::vector<int32_t>& ids) {
    std::vector<float> logits(kVocab, 0);
    logits[(ids.back() + 1) % static_cast<size_t>(period)] = 9;
    return logits;
  };
}

TEST(Engine, DraftsChangeTheSpeedAndNotTheAnswer) {
  const auto tokenizer = make_byte_tokenizer();
  for (const bool repeats : {true, false}) {
    const auto table = repeats ? repeating_table(7) : random_table(5, 3, 1.0);
    const int64_t vocab = repeats ? kVocab : 5;
    for (const double temperature : {0.0, 0.7}) {
      FakePredictor plain(table, vocab, 1, 200), drafted(table, vocab, 1, 200);
      Asker slow(plain, *tokenizer), fast(drafted, *tokenizer);
      GenerateOptions options = greedy(60);
      options.sampling.temperature = temperature;
      std::vector<int32_t> prompt;
      for (int32_t i = 0; i < 30; ++i) prompt.push_back(repeats ? i % 7 : i * i % 5);
      slow.ask({.prompt = prompt, .options = options});
      fast.ask({.prompt = prompt, .options = options, .drafter = lookup_drafter()});
      slow.engine.run();
      fast.engine.run();
      EXPECT_EQ(ids_of(slow.answers[0]), ids_of(fast.answers[0]));
      EXPECT_EQ(drafted.length(0), plain.length(0));
      EXPECT_LE(drafted.passes * (repeats && temperature == 0 ? 3 : 1), plain.passes);
    }
  }
}

TEST(Engine, ASmallerModelDrafts) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor large(repeating_table(50), kVocab, 2, 200),
      small(repeating_table(40), kVocab, 1, 200);
  Asker asker(large, *tokenizer);
  asker.ask(
      {.prompt = {1, 2, 3}, .options = greedy(80), .drafter = model_drafter(small, small.vocab())});
  asker.ask({.prompt = {1, 2, 3}, .options = greedy(80)});
  asker.engine.run();
  EXPECT_EQ(ids_of(asker.answers[0]), ids_of(asker.answers[1]));
  EXPECT_GT(asker.engine.statistics().accepted_tokens, 40);
}

TEST(Engine, CancelledRequestsEndWaitingOrRunning) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 1);
  Asker asker(predictor, *tokenizer);
  bool stop = false;
  for (int i = 0; i < 2; ++i)
    asker.ask({.prompt = {1, 2}, .options = greedy(50), .cancelled = [&] { return stop; }});
  for (int i = 0; i < 3; ++i) asker.engine.pass();
  stop = true;
  asker.engine.run();
  ASSERT_EQ(asker.answers.size(), 2u);
  EXPECT_EQ(asker.answers[0].reason, FinishReason::cancelled);
  EXPECT_EQ(asker.answers[0].tokens.size(), 3u);
  EXPECT_TRUE(asker.answers[1].tokens.empty());
  EXPECT_EQ(asker.engine.running() + asker.engine.waiting(), 0);
}

TEST(Engine, AnAnswersErrorIsItsOwn) {
  const auto tokenizer = make_byte_tokenizer();
  const auto table = random_table(kVocab, 7);
  FakePredictor predictor(
      [&](const std::vector<int32_t>& ids) {
        std::vector<float> logits = table(ids);
        if (ids.front() == 9 && ids.size() > 4) logits[3] = std::nanf("");
        return logits;
      },
      kVocab, 2);
  Asker asker(predictor, *tokenizer);
  std::string told;
  const auto tell = [&](std::exception_ptr error) {
    told += error_of([&] { std::rethrow_exception(error); });
  };
  asker.ask({.prompt = {9, 9}, .options = greedy(20), .on_error = tell});
  asker.ask({.prompt = {1, 2}, .options = greedy(20), .on_error = tell});
  asker.engine.run();
  EXPECT_TRUE(contains(told, "not finite")) << told;
  EXPECT_EQ(asker.answers.count(0), 0u);
  EXPECT_EQ(asker.answers[1].tokens.size(), 20u);
  EXPECT_EQ(asker.engine.running(), 0);
}

TEST(Engine, AFailedPassIsToldToAllWhoRan) {
  const auto tokenizer = make_byte_tokenizer();
  const auto table = random_table(kVocab, 7);
  bool fails = false;
  FakePredictor predictor(
      [&](const std::vector<int32_t>& ids) {
        CHECK(!fails, "out of order");
        return table(ids);
      },
      kVocab, 2);
  Asker asker(predictor, *tokenizer);
  int told = 0;
  for (int i = 0; i < 3; ++i)
    asker.ask(
        {.prompt = {1, i}, .options = greedy(5), .on_error = [&](std::exception_ptr) { ++told; }});
  asker.engine.pass();
  fails = true;
  EXPECT_THROW(asker.engine.pass(), InternalError);
  EXPECT_EQ(told, 2);
  fails = false;
  asker.engine.run();
  EXPECT_EQ(asker.answers.size(), 1u);
  EXPECT_EQ(asker.answers[2].tokens.size(), 5u);
}

TEST(Engine, TellsEachTokenBeforeItsText) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 1);
  Asker asker(predictor, *tokenizer);
  std::vector<int32_t> ids;
  size_t bytes = 0;
  asker.ask({.prompt = {1},
             .options = greedy(12),
             .on_token = [&](const GeneratedToken& token) { ids.push_back(token.id); },
             .on_text =
                 [&](std::string_view text) {
                   bytes += text.size();
                   EXPECT_GE(3 * ids.size(), bytes);  // a broken byte shows as three
                 }});
  asker.engine.run();
  EXPECT_EQ(ids, ids_of(asker.answers[0]));
}

TEST(Engine, AGrammarMayBeginAfterAToken) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 1);
  Asker asker(predictor, *tokenizer);
  GenerateOptions options = greedy(20);
  options.grammar = std::make_shared<const CompiledGrammar>(regex_grammar("xyz"), *tokenizer);
  options.grammar_after = 10;
  options.sampling.bias = {{.id = 10, .bias = 100}};
  asker.ask({.prompt = {1}, .options = options});
  options.sampling.bias = {{.id = 10, .bias = -100}};
  asker.ask({.prompt = {1}, .options = options});
  asker.engine.run();
  EXPECT_EQ(asker.answers[0].text, "\nxyz");
  EXPECT_EQ(asker.answers[0].reason, FinishReason::grammar_complete);
  EXPECT_EQ(asker.answers[1].tokens.size(), 20u);
}

TEST(Engine, RefusesAPromptThatDoesNotFit) {
  const auto tokenizer = make_byte_tokenizer();
  FakePredictor predictor(random_table(kVocab, 7), kVocab, 1, 16);
  Engine engine(predictor, *tokenizer);
  EXPECT_THROW(engine.submit({.prompt = std::vector<int32_t>(16, 1)}), Error);
  EXPECT_THROW(engine.submit({.prompt = {}}), Error);
  EXPECT_FALSE(engine.pass());
}

}  // namespace
}  // namespace malssi
