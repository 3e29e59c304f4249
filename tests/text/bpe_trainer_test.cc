#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/parallel.h"
#include "scratch.h"
#include "text/byte_alphabet.h"
#include "text/chat_template.h"
#include "text/splitter.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

std::unique_ptr<Tokenizer> train(const std::vector<std::string>& documents,
                                 const BpeTrainOptions& options) {
  const std::vector<std::string_view> views(documents.begin(), documents.end());
  return train_bpe(views, options);
}

Json merges_of(const Tokenizer& tokenizer) { return tokenizer.to_json()["model"]["merges"]; }

// The algorithm as the paper has it: count all pairs anew for every merge.
Json reference_merges(const std::string& text, const std::string& pattern, int64_t count) {
  std::vector<int32_t> byte_rank(256);
  for (int32_t i = 0; i < 256; ++i) byte_rank[byte_alphabet_order()[static_cast<size_t>(i)]] = i;
  std::map<std::string, int64_t> counted;
  std::vector<int64_t> ends(64);
  const auto splitter = make_splitter(pattern);
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const int64_t found = splitter->split(text, at, ends);
    for (int64_t i = 0; i < found; at = ends[static_cast<size_t>(i++)])
      ++counted[text.substr(static_cast<size_t>(at),
                            static_cast<size_t>(ends[static_cast<size_t>(i)] - at))];
  }
  std::vector<std::pair<std::vector<int32_t>, int64_t>> words;
  for (const auto& [word, times] : counted) {
    words.push_back({{}, times});
    for (const char byte : word)
      words.back().first.push_back(byte_rank[static_cast<uint8_t>(byte)]);
  }
  std::vector<std::string> tokens;
  for (const uint8_t byte : byte_alphabet_order()) tokens.emplace_back(1, static_cast<char>(byte));
  Json merges = Json::array();
  while (static_cast<int64_t>(merges.size()) < count) {
    std::map<std::pair<int32_t, int32_t>, int64_t> pairs;
    for (const auto& [ids, times] : words)
      for (size_t i = 0; i + 1 < ids.size(); ++i) pairs[{ids[i], ids[i + 1]}] += times;
    auto best = pairs.begin();
    for (auto pair = pairs.begin(); pair != pairs.end(); ++pair)
      if (pair->second > best->second) best = pair;
    const auto [left, right] = best->first;
    const std::string &a = tokens[static_cast<size_t>(left)],
                      &b = tokens[static_cast<size_t>(right)];
    merges.push_back(to_byte_alphabet(a) + " " + to_byte_alphabet(b));
    const auto made =
        static_cast<int32_t>(std::find(tokens.begin(), tokens.end(), a + b) - tokens.begin());
    if (made == static_cast<int32_t>(tokens.size())) tokens.push_back(a + b);
    for (auto& [ids, times] : words)
      for (size_t i = 0; i + 1 < ids.size(); ++i)
        if (ids[i] == left && ids[i + 1] == right) {
          ids[i] = made;
          ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
  return merges;
}

TEST(BpeTrainer, LearnsTheMergesThatCountingAnewWouldFind) {
  const std::string text = training_text();
  for (const std::string pattern : {"gpt2", "llama3", "[^ ]+"}) {
    const auto tokenizer =
        train({text}, {.vocab_size = 256 + 300, .pattern = pattern, .min_frequency = 1});
    const Json merges = merges_of(*tokenizer);
    EXPECT_EQ(merges, reference_merges(text, pattern, static_cast<int64_t>(merges.size())))
        << pattern;
  }
}

TEST(BpeTrainer, RunsOfOneLetterAreCountedLikeAnyPair) {
  const std::string text = "aaaa aaa aaaaaaa baab abab bbbb aaaaa";
  const auto tokenizer =
      train({text}, {.vocab_size = 256 + 12, .pattern = "gpt2", .min_frequency = 1});
  const Json merges = merges_of(*tokenizer);
  EXPECT_EQ(merges, reference_merges(text, "gpt2", static_cast<int64_t>(merges.size())));
}

TEST(BpeTrainer, TheResultDoesNotDependOnThreadsOrOnTheOrderOfDocuments) {
  const std::string text = training_text();
  std::vector<std::string> documents;
  for (int i = 0; i < 40; ++i) documents.push_back(text.substr(static_cast<size_t>(i * 37)));
  const BpeTrainOptions options = {.vocab_size = 700};
  const int threads = thread_count();
  set_thread_count(1);
  const Json one = train(documents, options)->to_json();
  set_thread_count(4);
  const Json four = train(documents, options)->to_json();
  set_thread_count(threads);
  std::reverse(documents.begin(), documents.end());
  EXPECT_EQ(one, four);
  EXPECT_EQ(one, train(documents, options)->to_json());
}

TEST(BpeTrainer, IdsAreBytesThenMergesThenSpecialTokens) {
  const auto tokenizer =
      train({training_text()}, {.vocab_size = 400, .special = default_special_tokens()});
  EXPECT_EQ(tokenizer->vocab_size(), 400);
  EXPECT_EQ(tokenizer->merge_count(), 400 - 256 - 5);
  EXPECT_EQ(tokenizer->token_bytes(0), "!");
  EXPECT_EQ(tokenizer->token_id("<|endoftext|>"), 395);
  EXPECT_EQ(tokenizer->token_id("<|end|>"), 399);
  EXPECT_EQ(tokenizer->eos_id(), 395);
}

TEST(BpeTrainer, StopsWhenNoPairIsFrequentEnough) {
  const auto tokenizer =
      train({"ab ab cd"}, {.vocab_size = 1000, .pattern = "gpt2", .min_frequency = 2});
  EXPECT_EQ(merges_of(*tokenizer), Json({"a b"}));
  EXPECT_EQ(tokenizer->vocab_size(), 257);
}

TEST(BpeTrainer, TokensStayWithinTheirLongestLength) {
  const auto tokenizer = train({std::string(5000, 'a')}, {.vocab_size = 300, .max_token_bytes = 8});
  for (int32_t id = 0; id < tokenizer->vocab_size(); ++id)
    EXPECT_LE(tokenizer->token_bytes(id).size(), 8u);
}

TEST(BpeTrainer, BrokenUtf8IsPassedOver) {
  const auto tokenizer = train({"ab \xFF\xFE ab \xEB\xA7"}, {.vocab_size = 300, .pattern = "gpt2"});
  EXPECT_EQ(merges_of(*tokenizer)[0], "a b");
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("ab\xFF")), "ab\xFF");
}

TEST(BpeTrainer, LongTextIsCountedInPiecesWithoutLosingWords) {
  std::string text;
  while (text.size() < (size_t{3} << 20)) text += "말씨가 고운 사람, the seed of language; ";
  const auto tokenizer = train({text}, {.vocab_size = 320});
  const std::string sample = "말씨가 고운 사람, the seed of language; 말씨가 고운";
  const std::vector<int32_t> ids = tokenizer->encode(sample);
  EXPECT_EQ(tokenizer->decode(ids), sample);
  EXPECT_LE(ids.size(), 16u);
}

TEST(BpeTrainer, ProgressIsReportedAndEndsAtTheVocabulary) {
  int64_t counted = 0, merged = 0;
  const std::string text = training_text();
  const std::vector<std::string_view> documents = {text};
  train_bpe(documents, {.vocab_size = 600}, [&](std::string_view stage, int64_t done, int64_t) {
    (stage == "counting words" ? counted : merged) = done;
  });
  EXPECT_EQ(counted, static_cast<int64_t>(text.size()));
  EXPECT_EQ(merged, 512);
}

TEST(BpeTrainer, ImpossibleOptionsAreOneClearErrorEach) {
  const auto message = [](const BpeTrainOptions& options, const std::string& text = "ab ab") {
    const std::string found = error_of([&] { train({text}, options); });
    EXPECT_TRUE(is_one_line(found));
    return found;
  };
  EXPECT_TRUE(contains(message({.vocab_size = 255}), "at least 256"));
  EXPECT_TRUE(
      contains(message({.vocab_size = 260, .special = {"a", "b", "c", "d", "e"}}), "at least 261"));
  EXPECT_TRUE(contains(message({.min_frequency = 0}), "minimum frequency"));
  EXPECT_TRUE(contains(message({.pattern = "("}), "split pattern"));
  EXPECT_TRUE(contains(message({}, ""), "no text"));
  EXPECT_TRUE(contains(message({.pattern = "(a+)+$"}, std::string(60, 'a') + "b"), "backtracks"));
}

}  // namespace
}  // namespace malssi
