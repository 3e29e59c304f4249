#include "eval/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "infer/logprobs.h"
#include "nn/context.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

// One thread: on models this small, waiting for a second one on a busy machine would take most of the time.
class Perplexity : public testing::Test {
 protected:
  void SetUp() override { set_thread_count(1); }
  void TearDown() override { set_thread_count(threads_); }

 private:
  int threads_ = thread_count();
};

std::unique_ptr<Model> byte_model(int64_t context = 16) {
  ModelConfig config;
  config.family = "llama";
  config.vocab = 256;
  config.width = 32;
  config.layers = 2;
  config.heads = 4;
  config.context = context;
  return make_model(config, DType::f32, 3);
}

std::string random_text(int64_t length) {
  Rng rng(8);
  std::string text;
  for (int64_t i = 0; i < length; ++i)
    text += rng.chance(0.2) ? ' ' : static_cast<char>('a' + rng.below(26));
  return text;
}

// -log p(next | past), from the past alone.
double token_nll(Model& model, const Ids& past, int32_t next) {
  CausalBatch context({0, static_cast<int32_t>(past.size())});
  const Tensor hidden = model.hidden(past, context);
  const auto logits = model.logits(hidden.rows(hidden.dim(0) - 1, hidden.dim(0))).to_vector();
  return log_sum_exp(logits) - logits[static_cast<size_t>(next)];
}

// One token at a time, straight from the definition.
Likelihood by_definition(Model& model, const Ids& ids, int64_t length, int64_t stride) {
  Likelihood result;
  size_t scored_to = 0;
  for (size_t begin = 0; scored_to < ids.size(); begin += static_cast<size_t>(stride)) {
    const size_t end = std::min(begin + static_cast<size_t>(length), ids.size());
    for (size_t at = std::max(scored_to, begin + 1); at < end; ++at) {
      const Ids past(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                     ids.begin() + static_cast<std::ptrdiff_t>(at));
      result.nll += token_nll(model, past, ids[at]);
      ++result.scored;
    }
    scored_to = end;
  }
  return result;
}

TEST_F(Perplexity, IsTheSumOverScoredTokensWhateverTheStride) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer();
  const std::string text = random_text(61);
  const Ids ids = tokenizer->encode(text);
  for (const int64_t length : {2, 7, 16}) {
    for (const int64_t stride : {int64_t{1}, length / 2, length}) {
      const Likelihood expected = by_definition(*model, ids, length, stride);
      const Likelihood got =
          score_text(*model, *tokenizer, text, {.window = length, .stride = stride});
      EXPECT_EQ(got.scored, expected.scored);
      EXPECT_NEAR(got.nll, expected.nll, 1e-4 * expected.nll);
    }
  }
}

TEST_F(Perplexity, SpreadsTheSumOverTokensWordsAndBytes) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer();
  const std::string text = "말씨는 a way of speaking";
  const Likelihood result = score_text(*model, *tokenizer, text);
  EXPECT_EQ(result.bytes, static_cast<int64_t>(text.size()));
  EXPECT_EQ(result.tokens, result.bytes);
  EXPECT_EQ(result.words, 5);
  EXPECT_EQ(result.scored, result.tokens - 2);  // two windows of 16
  EXPECT_NEAR(result.perplexity(), std::exp(result.nll / 25), 1e-9 * result.perplexity());
  EXPECT_NEAR(std::log(result.word_perplexity()), result.nll / 5, 1e-9);
  EXPECT_NEAR(std::log(result.byte_perplexity()), result.nll / 27, 1e-9);
  EXPECT_NEAR(result.bits_per_byte(), result.nll / 27 / std::numbers::ln2, 1e-9);
}

TEST_F(Perplexity, OfAnUntrainedModelIsAboutTheVocabulary) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer();
  EXPECT_NEAR(score_text(*model, *tokenizer, random_text(300)).loss(), std::log(256), 0.1);
}

TEST_F(Perplexity, ABeginOfTextTokenLetsTheFirstTokenBeScored) {
  ModelConfig config = byte_model()->config();
  config.vocab = 257;
  const auto model = make_model(config, DType::f32, 3);
  const auto tokenizer = make_byte_tokenizer({"<s>"});
  tokenizer->set_bos_id(256);
  const Likelihood result = score_text(*model, *tokenizer, "abcdef", {.begin_text = true});
  EXPECT_EQ(result.scored, 6);
  EXPECT_EQ(result.tokens, 6);
  EXPECT_EQ(score_text(*model, *tokenizer, "abcdef").scored, 5);
}

TEST_F(Perplexity, DocumentsAddUp) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer();
  Likelihood sum = score_text(*model, *tokenizer, "one two");
  const Likelihood second = score_text(*model, *tokenizer, "three");
  const double before = sum.nll;
  sum += second;
  EXPECT_EQ(sum.documents, 2);
  EXPECT_EQ(sum.words, 3);
  EXPECT_EQ(sum.scored, 6 + 4);
  EXPECT_DOUBLE_EQ(sum.nll, before + second.nll);
}

TEST_F(Perplexity, RefusesAWindowLongerThanTheContext) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer();
  EXPECT_THROW(score_text(*model, *tokenizer, "abc", {.window = 17}), Error);
}

TEST_F(Perplexity, RefusesATokenizerThatDoesNotFit) {
  const auto model = byte_model();
  const auto tokenizer = make_byte_tokenizer({"<s>"});
  tokenizer->set_bos_id(256);
  EXPECT_THROW(score_text(*model, *tokenizer, "abc", {.begin_text = true}), Error);
}

}  // namespace
}  // namespace malssi
