// One step of instruction tuning against PyTorch, however its conversations are packed; and noise of embeddings.
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "models/weight_formula.h"
#include "nn/noisy_batch.h"
#include "scratch.h"
#include "tensor/tape.h"
#include "train/pretrain/language.h"
#include "train/tune/preview.h"

namespace malssi {
namespace {

// Hands out the batches that it was given, again and again.
class GivenBatches : public BatchSource {
 public:
  explicit GivenBatches(std::vector<Batch> batches) : batches_(std::move(batches)) {}
  Batch next() override { return batches_[static_cast<size_t>(at_++) % batches_.size()]; }
  double epochs() const override { return 0; }
  int64_t batches_per_epoch() const override { return static_cast<int64_t>(batches_.size()); }
  Json state() const override { return at_; }
  void restore(const Json& state) override { at_ = state.get<int64_t>(); }

 private:
  std::vector<Batch> batches_;
  int64_t at_ = 0;
};

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/train/golden_sft.json");
  return json;
}

// Some of the fixture's conversations in one batch, then so many tokens of padding.
Batch packed(const std::vector<size_t>& chats, size_t padding) {
  Batch batch;
  for (const size_t number : chats) {
    const Json& chat = golden()["chats"][number];
    const auto ids = chat["ids"].get<std::vector<int32_t>>();
    const auto trained = chat["trained"].get<std::vector<float>>();
    batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end() - 1);
    batch.targets.insert(batch.targets.end(), ids.begin() + 1, ids.end());
    batch.weights.insert(batch.weights.end(), trained.begin() + 1, trained.end());
  }
  if (padding > 0) batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
  const size_t size = batch.ids.size() + padding;
  batch.ids.resize(size, 0);
  batch.targets.resize(size, 0);
  batch.weights.resize(size, 0);
  batch.starts.push_back(static_cast<int32_t>(size));
  return batch;
}

struct Step {
  double loss = 0;
  std::unique_ptr<Model> model;

  explicit Step(std::vector<Batch> batches) {
    model = make_model({.vocab = 13,
                        .width = 16,
                        .layers = 2,
                        .heads = 4,
                        .kv_heads = 2,
                        .hidden = 24,
                        .context = 12,
                        .tied = false,
                        .activation = {}},
                       DType::f32, 1);
    fill_by_formula(*model);
    const auto count = static_cast<int64_t>(batches.size());
    GivenBatches source(std::move(batches));
    LanguageObjective objective(*model, source, nullptr, {.batches_per_step = count});
    loss = objective.accumulate(0)->loss;
  }
  std::vector<float> gradients() const {
    std::vector<float> all;
    for (const Parameter& p : parameters_of(*model))
      for (const float each : p.value->grad().to_vector()) all.push_back(each);
    return all;
  }
};

TEST(SftStep, LossAndGradientsAreThoseOfPyTorchHoweverConversationsArePacked) {
  const std::vector<std::vector<Batch>> forms = {{packed({0, 1, 2}, 0)},
                                                 {packed({2, 0, 1}, 5)},
                                                 {packed({0}, 3), packed({1, 2}, 4)},
                                                 {packed({1}, 0), packed({0}, 0), packed({2}, 9)}};
  const double want = golden()["loss"];
  for (const std::vector<Batch>& form : forms) {
    const Step step(form);
    EXPECT_NEAR(step.loss, want, 1e-5 * want);
    for (const Parameter& p : parameters_of(*step.model)) {
      const std::vector<float> got = p.value->grad().to_vector();
      const int64_t row = p.value->size() / p.value->dim(0);
      for (const WeightPart& part : p.parts) {
        const double norm = golden()["gradient_norms"][part.name];
        double squares = 0;
        for (int64_t i = part.begin * row; i < part.end * row; ++i)
          squares += std::pow(got[static_cast<size_t>(i)], 2.0);
        EXPECT_NEAR(std::sqrt(squares), norm, 1e-5 * norm) << part.name;
        for (size_t i = 0; i < 3; ++i)
          EXPECT_NEAR(got[static_cast<size_t>(part.begin * row) + i],
                      golden()["gradients"][part.name][i].get<double>(), 1e-5 * norm)
              << part.name;
      }
    }
  }
}

TEST(SftStep, EightPiecesOfOneAreOnePieceOfEight) {
  std::vector<size_t> all;
  std::vector<Batch> ones;
  for (size_t i = 0; i < 8; ++i) {
    all.push_back(i % 3);
    ones.push_back(packed({i % 3}, 0));
  }
  const Step whole({packed(all, 0)}), pieces(std::move(ones));
  EXPECT_NEAR(whole.loss, pieces.loss, 1e-6);
  const std::vector<float> a = whole.gradients(), b = pieces.gradients();
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6) << i;
}

TEST(EmbeddingNoise, IsEvenWithinItsBoundsAndPassesGradientsOn) {
  constexpr int64_t kWidth = 64;
  const NoisyBatch batch({0, 100, 400}, 0, {.alpha = 5, .seed = 7});
  Tensor x = Tensor::zeros({400, kWidth});
  x.want_grad();
  Tape tape;
  const Tensor y = batch.noised(x);
  const double bounds[] = {5 / std::sqrt(100.0 * kWidth), 5 / std::sqrt(300.0 * kWidth)};
  double squares[] = {0, 0};
  for (int64_t i = 0; i < y.size(); ++i) {
    const int s = i < 100 * kWidth ? 0 : 1;
    EXPECT_LE(std::abs(y.f32()[i]), bounds[s] * 1.000001);
    squares[s] += static_cast<double>(y.f32()[i]) * y.f32()[i];
  }
  EXPECT_NEAR(squares[0] / (100 * kWidth) / (bounds[0] * bounds[0] / 3), 1, 0.05);
  EXPECT_NEAR(squares[1] / (300 * kWidth) / (bounds[1] * bounds[1] / 3), 1, 0.05);
  const Tensor again = batch.noised(x);
  EXPECT_EQ(again.to_vector(), y.to_vector());
  EXPECT_EQ(NoisyBatch({0, 400}, 0, {}).noised(x).to_vector(), x.to_vector());
}

TEST(Preview, ShowsWhatIsLearnedInBracketsOrColour) {
  const auto tokenizer = make_byte_tokenizer(default_special_tokens());
  const Conversation chat = {{"user", "one \x1b[2J"}, {"assistant", "ONE"}};
  SftData data{
      .conversations = {chat, chat}, .lines = {4, 9}, .empty_answers = 2, .first_invalid = {}};
  PreviewOptions options{.count = 1, .set = {.context = 60}};
  const std::string end = ChatTemplate().stop_tokens().front();
  const std::string plain = preview_chats(data, *tokenizer, ChatTemplate(), options);
  EXPECT_TRUE(contains(plain, "[ONE" + end + "]")) << plain;
  EXPECT_TRUE(contains(plain, "line 4:")) << plain;
  EXPECT_FALSE(contains(plain, "line 9:")) << plain;
  EXPECT_TRUE(contains(plain, "one \\x1b[2J")) << plain;
  EXPECT_EQ(plain.find('\x1b'), plain.npos);
  EXPECT_TRUE(contains(plain, "learned 8 (")) << plain;
  EXPECT_TRUE(contains(plain, "2 without an answer")) << plain;
  options.style.has_colour = true;
  EXPECT_TRUE(contains(preview_chats(data, *tokenizer, ChatTemplate(), options),
                       "\x1b[1;32mONE" + end + "\x1b[0m"));
  options.style = {.each_token = true};
  EXPECT_TRUE(contains(preview_chats(data, *tokenizer, ChatTemplate(), options), " + \"O\"\n"));
}

TEST(Preview, ShowsBothAnswersOfAPreference) {
  const auto tokenizer = make_byte_tokenizer(default_special_tokens());
  PreferenceData data;
  data.records.push_back(
      {.prompt = {{"user", "q"}}, .answers = {{{"assistant", "good"}}, {{"assistant", "bad"}}}});
  const std::string text =
      preview_preferences(data, *tokenizer, ChatTemplate(), {.count = 1, .set = {.context = 60}});
  const std::string end = ChatTemplate().stop_tokens().front();
  EXPECT_TRUE(contains(text, "preference 1, chosen")) << text;
  EXPECT_TRUE(contains(text, "[good" + end + "]")) << text;
  EXPECT_TRUE(contains(text, "preference 1, rejected")) << text;
  EXPECT_TRUE(contains(text, "[bad" + end + "]")) << text;
}

}  // namespace
}  // namespace malssi
