#include "infer/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "infer/fake_predictor.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

constexpr int32_t kEnd = 256;  // the byte tokenizer's first special token
constexpr int64_t kVocab = 258;

std::unique_ptr<Tokenizer> byte_tokenizer() { return make_byte_tokenizer({"<|end|>", "<|mark|>"}); }

Ids ids_of(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
  return ids;
}

// A model that says the given tokens after any prompt of `prompt` tokens, then the end token for
// ever.
FakePredictor speaker(int64_t prompt, Ids says, int64_t slots = 1, int64_t capacity = 64) {
  const auto table = [=](const Ids& ids) {
    const auto at = static_cast<int64_t>(ids.size()) - prompt;
    std::vector<float> logits(kVocab);
    const bool over = at >= static_cast<int64_t>(says.size());
    logits[static_cast<size_t>(over ? kEnd : says[static_cast<size_t>(at)])] = 9;
    return logits;
  };
  return FakePredictor(table, kVocab, slots, capacity);
}

GenerateOptions greedy() {
  return {.sampling = {.temperature = 0}, .max_tokens = 50, .stop_tokens = {kEnd}};
}

// Runs and collects what was streamed.
struct Streamed {
  Generation generation;
  std::vector<std::string> pieces;
};
Streamed run(FakePredictor& model, std::string_view prompt, const GenerateOptions& options) {
  const auto tokenizer = byte_tokenizer();
  Generator generator(model, *tokenizer);
  Streamed result;
  result.generation =
      generator.run(ids_of(prompt), options,
                    {.on_text = [&](std::string_view text) { result.pieces.emplace_back(text); }});
  return result;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const auto& piece : pieces) all += piece;
  return all;
}

TEST(Generate, StreamsTextUntilTheStopToken) {
  auto model = speaker(3, ids_of("hello"));
  const Streamed result = run(model, "abc", greedy());
  EXPECT_EQ(result.pieces, (std::vector<std::string>{"h", "e", "l", "l", "o"}));
  EXPECT_EQ(result.generation.text, "hello");
  EXPECT_EQ(result.generation.reason, FinishReason::stop_token);
  EXPECT_EQ(result.generation.prompt_tokens, 3);
  ASSERT_EQ(result.generation.tokens.size(), 6u);
  EXPECT_EQ(result.generation.tokens.back().id, kEnd);
}

TEST(Generate, NeverSplitsACharacter) {
  auto model = speaker(1, ids_of("a말씨🙂z"));
  const Streamed result = run(model, "x", greedy());
  EXPECT_EQ(result.pieces, (std::vector<std::string>{"a", "말", "씨", "🙂", "z"}));
}

TEST(Generate, ShowsAnUnfinishedCharacterAsAReplacementAtTheEnd) {
  auto model = speaker(1, {'a', 0xEB, 0xA7});
  const Streamed result = run(model, "x", greedy());
  EXPECT_EQ(result.generation.text, "a\xEF\xBF\xBD");
  EXPECT_EQ(joined(result.pieces), result.generation.text);
}

TEST(Generate, AStopStringThatSpansTokensIsNotShown) {
  auto model = speaker(1, ids_of("one\n\nQ: two"));
  GenerateOptions options = greedy();
  options.stop_strings = {"###", "\n\nQ:"};
  const Streamed result = run(model, "x", options);
  EXPECT_EQ(result.generation.text, "one");
  EXPECT_EQ(joined(result.pieces), "one");
  EXPECT_EQ(result.generation.reason, FinishReason::stop_string);
  EXPECT_EQ(result.generation.stop_string, "\n\nQ:");
}

TEST(Generate, HeldBackTextComesOutWhenTheAnswerEndsOtherwise) {
  auto model = speaker(1, ids_of("one\n\n"));
  GenerateOptions options = greedy();
  options.stop_strings = {"\n\nQ:"};
  EXPECT_EQ(joined(run(model, "x", options).pieces), "one\n\n");
}

TEST(Generate, StopsAtMaxTokens) {
  auto model = speaker(1, ids_of("hello"));
  GenerateOptions options = greedy();
  options.max_tokens = 2;
  const Generation generation = run(model, "x", options).generation;
  EXPECT_EQ(generation.text, "he");
  EXPECT_EQ(generation.reason, FinishReason::max_tokens);
}

TEST(Generate, StopsWhenTheContextIsFull) {
  auto model = speaker(5, ids_of("hello"), 1, 8);
  const Generation generation = run(model, "abcde", greedy()).generation;
  EXPECT_EQ(generation.text, "hel");
  EXPECT_EQ(generation.reason, FinishReason::context_full);
}

TEST(Generate, RefusesPromptsThatLeaveNoRoom) {
  auto model = speaker(1, ids_of("x"), 1, 4);
  EXPECT_THROW(run(model, "abcd", greedy()), Error);
  EXPECT_THROW(run(model, "abcde", greedy()), Error);
  EXPECT_THROW(run(model, "", greedy()), Error);
  EXPECT_EQ(run(model, "abc", greedy()).generation.tokens.size(), 1u);
}

TEST(Generate, HidesSpecialTokensUnlessAsked) {
  auto model = speaker(1, {'a', 257, 'b'});
  EXPECT_EQ(run(model, "x", greedy()).generation.text, "ab");
  GenerateOptions options = greedy();
  options.show_special = true;
  EXPECT_EQ(run(model, "x", options).generation.text, "a<|mark|>b");
}

TEST(Generate, ReadsLongPromptsInChunks) {
  auto model = speaker(1000, ids_of("ok"), 1, 2000);
  EXPECT_EQ(run(model, std::string(1000, 'p'), greedy()).generation.text, "ok");
  EXPECT_EQ(model.passes, 4 + 2);
}

TEST(Generate, ReportsLogProbabilitiesOfTheModelItself) {
  const auto table = [](const Ids&) {
    std::vector<float> logits(kVocab, -1e9f);
    logits['a'] = std::log(0.7f);
    logits['b'] = std::log(0.2f);
    logits['c'] = std::log(0.1f);
    return logits;
  };
  FakePredictor model(table, kVocab);
  GenerateOptions options{.sampling = {.temperature = 0.01, .top_k = 1}, .max_tokens = 1};
  options.logprobs = 2;
  const Generation generation = run(model, "x", options).generation;
  const GeneratedToken& token = generation.tokens.at(0);
  EXPECT_EQ(token.id, 'a');
  EXPECT_NEAR(token.logprob, std::log(0.7), 1e-5);
  ASSERT_EQ(token.top.size(), 2u);
  EXPECT_EQ(token.top[1].id, 'b');
  EXPECT_NEAR(token.top[1].logprob, std::log(0.2), 1e-5);
}

TEST(Generate, NeverChoosesIdsThatTheTokenizerLacks) {
  const auto table = [](const Ids&) {
    std::vector<float> logits(300, 0.0f);
    logits[299] = 50;  // a padded row of the output layer
    logits['k'] = 1;
    return logits;
  };
  FakePredictor model(table, 300);
  GenerateOptions options = greedy();
  options.max_tokens = 3;
  EXPECT_EQ(run(model, "x", options).generation.text, "kkk");
}

TEST(Generate, CanBeCancelledBetweenTokens) {
  auto model = speaker(1, ids_of("a long answer"));
  const auto tokenizer = byte_tokenizer();
  Generator generator(model, *tokenizer);
  std::string shown;
  const Generation generation =
      generator.run(ids_of("x"), greedy(),
                    {.on_text = [&](std::string_view text) { shown += text; },
                     .cancelled = [&] { return shown.size() >= 6; }});
  EXPECT_EQ(generation.text, "a long");
  EXPECT_EQ(generation.reason, FinishReason::cancelled);
}

TEST(Generate, ComputesOnlyWhatAConversationAdds) {
  auto model = speaker(3, ids_of("defgh"));
  const auto tokenizer = byte_tokenizer();
  Generator generator(model, *tokenizer);
  generator.run(ids_of("abc"), greedy());
  const int64_t before = model.tokens_fed;
  generator.run(ids_of("abcdefgh!"), greedy());
  EXPECT_EQ(generator.reused(), 8);
  EXPECT_LE(model.tokens_fed - before, 3);
  // Another beginning: the cache is cut back, and the answer is that of a fresh model.
  EXPECT_EQ(generator.run(ids_of("aXc"), greedy()).text, "defgh");
  EXPECT_EQ(generator.reused(), 1);
  // The very same prompt: its last token is read again for its logits.
  EXPECT_EQ(generator.run(ids_of("aXc"), greedy()).text, "defgh");
  EXPECT_EQ(generator.reused(), 2);
}

TEST(GenerateBatch, GivesEachPromptTheAnswerItGetsAlone) {
  const auto table = random_table(kVocab, 77, 3.0);
  const auto tokenizer = byte_tokenizer();
  std::vector<Ids> prompts;
  Rng rng(5);
  for (int i = 0; i < 23; ++i) {
    Ids prompt;
    for (int64_t n = 1 + rng.below(i == 7 ? 600 : 20); n > 0; --n)
      prompt.push_back(static_cast<int32_t>(rng.below(256)));
    prompts.push_back(prompt);
  }
  GenerateOptions options{.sampling = {.temperature = 0.8, .seed = 40}, .max_tokens = 17};
  options.stop_tokens = {kEnd, 3, 9, 27, 81};
  std::vector<Generation> alone;
  for (size_t i = 0; i < prompts.size(); ++i) {
    FakePredictor model(table, kVocab, 1, 700);
    Generator generator(model, *tokenizer);
    GenerateOptions own = options;
    own.sampling.seed += i;
    alone.push_back(generator.run(prompts[i], own));
  }
  for (const int64_t slots : {1, 4, 50}) {
    FakePredictor model(table, kVocab, slots, 700);
    int64_t done = 0;
    const auto together = generate_batch(model, *tokenizer, prompts, options,
                                         {.on_done = [&](int64_t, const Generation&) { ++done; }});
    EXPECT_EQ(done, 23);
    ASSERT_EQ(together.size(), prompts.size());
    for (size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(together[i].text, alone[i].text) << "prompt " << i << ", " << slots << " slots";
      EXPECT_EQ(together[i].reason, alone[i].reason);
      EXPECT_EQ(together[i].prompt_tokens, alone[i].prompt_tokens);
    }
  }
}

TEST(GenerateBatch, NeedsFarFewerPassesThanOneAtATime) {
  auto model = speaker(2, ids_of("0123456789"), 8);
  const std::vector<Ids> prompts(16, ids_of("ab"));
  const auto tokenizer = byte_tokenizer();
  for (const Generation& answer : generate_batch(model, *tokenizer, prompts, greedy()))
    EXPECT_EQ(answer.text, "0123456789");
  EXPECT_EQ(model.passes, 2 * 11);
}

TEST(GenerateBatch, CanBeCancelled) {
  auto model = speaker(2, ids_of("0123456789"), 2);
  const std::vector<Ids> prompts(5, ids_of("ab"));
  const auto tokenizer = byte_tokenizer();
  const auto answers = generate_batch(model, *tokenizer, prompts, greedy(),
                                      {.cancelled = [&] { return model.passes >= 4; }});
  ASSERT_EQ(answers.size(), 5u);
  EXPECT_EQ(answers[0].text, "0123");
  for (const Generation& answer : answers) EXPECT_EQ(answer.reason, FinishReason::cancelled);
}

TEST(GenerateBatch, RefusesAPromptThatIsTooLongBeforeAnyWork) {
  auto model = speaker(2, ids_of("0"), 2, 10);
  const auto tokenizer = byte_tokenizer();
  const std::vector<Ids> prompts = {ids_of("ab"), Ids(10, 'x')};
  EXPECT_THROW(generate_batch(model, *tokenizer, prompts, greedy()), Error);
  EXPECT_EQ(model.passes, 0);
  EXPECT_TRUE(generate_batch(model, *tokenizer, {}, greedy()).empty());
}

TEST(GenerateBeams, ReturnTextWithScoresBestFirst) {
  auto model = speaker(1, ids_of("yes"), 4);
  const auto tokenizer = byte_tokenizer();
  const auto found =
      generate_beams(model, *tokenizer, ids_of("x"), greedy(), {.beams = 4, .n_best = 2});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].generation.text, "yes");
  EXPECT_EQ(found[0].generation.reason, FinishReason::stop_token);
  EXPECT_GE(found[0].score, found[1].score);
  double sum = 0;
  for (const GeneratedToken& token : found[0].generation.tokens) sum += token.logprob;
  EXPECT_NEAR(found[0].logprob, sum, 1e-6);
  EXPECT_NEAR(found[0].score, sum / 4, 1e-6);
}

TEST(GenerateBeams, EndAtStopStrings) {
  auto model = speaker(1, ids_of("one. two. three."), 3);
  const auto tokenizer = byte_tokenizer();
  GenerateOptions options = greedy();
  options.stop_strings = {". t"};
  const auto found = generate_beams(model, *tokenizer, ids_of("x"), options, {.beams = 3});
  EXPECT_EQ(found.at(0).generation.text, "one");
  EXPECT_EQ(found[0].generation.reason, FinishReason::stop_string);
}

TEST(GenerateBeams, StopWhenTheContextIsFull) {
  auto model = speaker(5, ids_of("hello"), 2, 8);
  const auto tokenizer = byte_tokenizer();
  const auto found = generate_beams(model, *tokenizer, ids_of("abcde"), greedy(), {.beams = 2});
  EXPECT_EQ(found.at(0).generation.text, "hel");
  EXPECT_EQ(found[0].generation.reason, FinishReason::context_full);
}

TEST(EncodePrompt, NamesTheByteThatIsNotUtf8) {
  const auto tokenizer = byte_tokenizer();
  try {
    encode_prompt(*tokenizer, "ab\xFFz");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("not valid UTF-8 at byte 2"), std::string::npos);
  }
}

TEST(EncodePrompt, AnEmptyPromptNeedsATokenThatBeginsTexts) {
  const auto tokenizer = byte_tokenizer();
  tokenizer->set_bos_id(-1);
  EXPECT_THROW(encode_prompt(*tokenizer, ""), Error);
  tokenizer->set_bos_id(257);
  EXPECT_EQ(encode_prompt(*tokenizer, ""), Ids{257});
}

TEST(Generate, KeepsToAGrammarAndEndsOnlyWhenItIsComplete) {
  const auto tokenizer = byte_tokenizer();
  GenerateOptions options = greedy();
  options.grammar =
      std::make_shared<const CompiledGrammar>(regex_grammar("[a-c]{3,9}"), *tokenizer);
  FakePredictor model = speaker(1, ids_of("xbz"));  // and would end after that
  Streamed result = run(model, "p", options);
  EXPECT_EQ(result.generation.reason, FinishReason::stop_token);
  EXPECT_EQ(result.generation.text, "aba");
  options.grammar = std::make_shared<const CompiledGrammar>(regex_grammar("ab"), *tokenizer);
  options.stop_tokens = {};
  FakePredictor other = speaker(1, ids_of("zzzz"));
  result = run(other, "p", options);
  EXPECT_EQ(result.generation.reason, FinishReason::grammar_complete);
  EXPECT_EQ(result.generation.text, "ab");
}

}  // namespace
}  // namespace malssi
