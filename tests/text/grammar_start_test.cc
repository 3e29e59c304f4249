// Grammars where an answer begins a text, whose first space SentencePiece drops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "base/random.h"
#include "text/grammar/constraint.h"
#include "text_tools.h"

namespace malssi {
namespace {

class GrammarAtTheStart : public testing::Test {
 protected:
  std::shared_ptr<const CompiledGrammar> compiled(std::string_view pattern) const {
    return std::make_shared<const CompiledGrammar>(regex_grammar(pattern), *tokenizer_);
  }
  // The tokens that may come first.
  std::vector<int32_t> first(std::string_view pattern, Place place) const {
    std::vector<float> logits(static_cast<size_t>(tokenizer_->vocab_size()));
    GrammarState(compiled(pattern), place).mask(logits, {});
    std::vector<int32_t> ids;
    for (int32_t id = 0; id < tokenizer_->vocab_size(); ++id)
      if (logits[static_cast<size_t>(id)] == 0) ids.push_back(id);
    return ids;
  }
  std::unique_ptr<Tokenizer> tokenizer_ = load_sentencepiece(fixture("pieces_bpe.model"));
};

TEST_F(GrammarAtTheStart, ExactlyTheTokensWhoseTextFitsMayComeFirst) {
  for (const Place place : {Place::start, Place::inside}) {
    const std::vector<int32_t> allowed = first("[a-z]{40}", place);
    int64_t with_space = 0;
    for (int32_t id = 0; id < tokenizer_->vocab_size(); ++id) {
      if (tokenizer_->is_special(id)) continue;
      const std::string text = tokenizer_->decode(std::vector<int32_t>{id}, {.place = place});
      const bool has_bytes = !tokenizer_->token_bytes(id).empty();
      const bool fits = has_bytes && std::all_of(text.begin(), text.end(),
                                                 [](char c) { return c >= 'a' && c <= 'z'; });
      EXPECT_EQ(std::ranges::binary_search(allowed, id), fits) << tokenizer_->token_bytes(id);
      with_space += fits && tokenizer_->token_bytes(id).starts_with(' ');
    }
    EXPECT_EQ(with_space > 0, place == Place::start);
  }
}

TEST_F(GrammarAtTheStart, AnswersFitAsTextWhateverTheyBeginWith) {
  const std::string pattern = "[a-z]{1,9}( [a-z]{2,5}){2}";
  const auto grammar = compiled(pattern);
  Rng rng(3);
  int64_t with_space = 0;
  for (int trial = 0; trial < 100; ++trial) {
    GrammarState state(grammar, Place::start);
    std::vector<int32_t> ids;
    while (!state.must_end()) {
      std::vector<float> logits(static_cast<size_t>(tokenizer_->vocab_size()));
      for (float& x : logits) x = static_cast<float>(rng.uniform());
      state.mask(logits, {});
      ids.push_back(
          static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
      ASSERT_TRUE(state.accept(ids.back()));
    }
    EXPECT_TRUE(std::regex_match(tokenizer_->decode(ids), std::regex(pattern)))
        << tokenizer_->decode(ids);
    with_space += tokenizer_->token_bytes(ids.front()).starts_with(' ');
  }
  EXPECT_GT(with_space, 5);
  EXPECT_LT(with_space, 95);
}

}  // namespace
}  // namespace malssi
