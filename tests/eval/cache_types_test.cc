// What a smaller cache costs in perplexity: a published model (stories260K) on text it wrote itself.
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/parallel.h"
#include "eval/perplexity.h"
#include "infer/generate.h"
#include "infer/model_predictor.h"
#include "io/model_folder.h"
#include "io/model_source.h"

namespace malssi {
namespace {

const fs::path kWeights = fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "weights";

// Stories that the model draws, each of as many tokens as its context has.
std::vector<std::string> stories(Model& model, const Tokenizer& tokenizer, int64_t count) {
  ModelPredictor predictor(model, 16);
  const std::vector<std::vector<int32_t>> prompts(static_cast<size_t>(count), {1});
  std::vector<std::string> texts;
  for (const Generation& one :
       generate_batch(predictor, tokenizer, prompts,
                      {.sampling = {.temperature = 1, .seed = 1}, .max_tokens = 400}))
    texts.push_back(one.text);
  return texts;
}

// One thread: on a model this small, waiting for a second one on a busy machine would take most of the time.
class CacheTypes : public testing::Test {
 protected:
  void SetUp() override { set_thread_count(1); }
  void TearDown() override { set_thread_count(threads_); }

 private:
  int threads_ = thread_count();
};

TEST_F(CacheTypes, CostNextToNothingInPerplexity) {
  if (!fs::exists(kWeights / "stories260K.bin"))
    GTEST_SKIP() << "no stories260K.bin in " << kWeights;
  const ModelSource source = open_model(kWeights / "stories260K.bin");
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*model, source.find);
  const auto tokenizer = load_tokenizer(kWeights / "tok512.bin");
  const std::vector<std::string> texts = stories(*model, *tokenizer, 16);
  const auto perplexity = [&](std::optional<DType> cache) {
    Likelihood all;
    for (const std::string& text : texts)
      all += score_text(*model, *tokenizer, text, {.cache = cache});
    return all.perplexity();
  };
  const double plain = perplexity(std::nullopt);
  EXPECT_LT(plain, 5);
  const auto rise = [&](DType cache) { return std::abs(perplexity(cache) / plain - 1); };
  EXPECT_LT(rise(DType::f32), 1e-6);
  EXPECT_LT(rise(DType::f16), 1e-4);
  EXPECT_LT(rise(DType::bf16), 1e-3);
  EXPECT_LT(rise(DType::q8_0), 1.5e-3);
}

}  // namespace
}  // namespace malssi
