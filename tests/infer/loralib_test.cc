// An adapter that others trained: microsoft/LoRA's of RoBERTa base on MNLI, in a PEFT folder of its names and shapes, beside
// an encoder of RoBERTa's true width and depth (its vocabulary and MLP, which the adapter does not touch, are small).
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "infer/classify.h"
#include "io/adapter_file.h"
#include "io/torch_file.h"
#include "scratch.h"

namespace malssi {
namespace {

const fs::path kFile = fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "weights" /
                       "roberta_base_lora_mnli.bin";
constexpr float kScale = 2;  // alpha 16, rank 8

class Loralib : public testing::Test {
 protected:
  void SetUp() override {
    if (!path_exists(kFile)) GTEST_SKIP() << kFile << " is absent: nothing to compare with";
    fs::copy_file(kFile, scratch_ / "adapter_model.bin");
    const TorchFile file(kFile);
    for (const Entry& entry : file.entries()) tensors_[entry.name] = file.load(entry.name);
    ASSERT_EQ(tensors_.size(), 52u);
    const Json config = {{"peft_type", "LORA"},
                         {"task_type", "SEQ_CLS"},
                         {"r", 8},
                         {"lora_alpha", 16},
                         {"target_modules", {"query", "value"}},
                         {"modules_to_save", {"classifier", "score"}},
                         {"base_model_name_or_path", "roberta-base"}};
    overwrite(scratch_ / "adapter_config.json", dump_json(config));
  }

  static ModelConfig roberta(int64_t layers = 12) {
    return checked({.family = "roberta",
                    .vocab = 60,
                    .width = 768,
                    .layers = layers,
                    .heads = 12,
                    .hidden = 64,
                    .context = 64,
                    .bias = true,
                    .activation = "gelu",
                    .token_types = 1,
                    .pad_id = 1});
  }

  static Labels mnli() { return {.names = {"entailment", "neutral", "contradiction"}}; }

  const std::vector<ClassifierText> texts_ = {{.ids = {0, 31, 4, 15, 9, 2}},
                                              {.ids = {0, 6, 53, 2}}};
  std::map<std::string, Tensor> tensors_;
  ScratchFolder scratch_;
};

TEST_F(Loralib, EveryMatrixAndTheClassifierFindTheirPlaces) {
  const AdapterFile file = open_adapter(scratch_.path());
  EXPECT_EQ(file.parts.size(), 24u);
  EXPECT_EQ(file.labels(), 3);
  for (const AdapterPart& part : file.parts) EXPECT_EQ(part.scale, kScale);
  const auto model = with_classifier(make_model(roberta(), DType::f32, 1), mnli(), 2);
  EXPECT_EQ(attach_adapter(*model, scratch_.path()), 0);
  int64_t adapted = 0;
  std::map<std::string, std::vector<float>> head;
  model->visit([&](const Parameter& p) {
    if (p.low_ranks != nullptr) adapted += std::ssize(*p.low_ranks);
    if (p.name.starts_with("classifier.")) head[p.parts.front().name] = p.value->to_vector();
  });
  EXPECT_EQ(adapted, 24);
  ASSERT_EQ(head.size(), 4u);
  for (const auto& [name, numbers] : head)
    EXPECT_EQ(numbers, tensors_.at(name).to_vector()) << name;
}

TEST_F(Loralib, ScoresAreThoseOfTheSummedWeights) {
  const auto beside = with_classifier(make_model(roberta(), DType::f32, 1), mnli(), 2);
  const int64_t number = attach_adapter(*beside, scratch_.path());
  std::map<std::string, Tensor> sums;
  for (const NamedTensor& weight : export_weights(*beside))
    sums[weight.name] = weight.value.clone();
  for (auto& [name, weight] : sums) {
    const std::string bare = name.substr(0, name.rfind('.'));
    if (!name.ends_with(".weight") || !tensors_.contains(bare + ".lora_A")) continue;
    const float *a = tensors_.at(bare + ".lora_A").f32(), *b = tensors_.at(bare + ".lora_B").f32();
    for (int64_t i = 0; i < 768; ++i)
      for (int64_t r = 0; r < 8; ++r)
        for (int64_t j = 0; j < 768; ++j)
          weight.f32()[i * 768 + j] += kScale * b[i * 8 + r] * a[r * 768 + j];
  }
  const auto summed = with_classifier(make_model(roberta(), DType::f32, 3), mnli(), 4);
  import_weights(*summed, [&](const std::string& name) { return sums.at(name); });
  const auto want = classify(*summed, texts_);
  const auto scores = classify(*beside, texts_, {{.adapter = number}});
  const auto plain = classify(*beside, texts_);
  double change = 0;
  for (size_t i = 0; i < texts_.size(); ++i)
    for (size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(scores[i][j], want[i][j], 1e-4);
      change = std::max<double>(change, std::abs(plain[i][j] - want[i][j]));
    }
  EXPECT_GT(change, 1e-3);
}

TEST_F(Loralib, AnotherBaseIsRefusedInOneLine) {
  const auto bare = make_model(roberta(2), DType::f32, 1);
  EXPECT_TRUE(contains(error_of([&] { attach_adapter(*bare, scratch_.path()); }), "classifier"));
  const auto shallow = with_classifier(make_model(roberta(2), DType::f32, 1), mnli(), 2);
  const std::string layers = error_of([&] { attach_adapter(*shallow, scratch_.path()); });
  EXPECT_TRUE(is_one_line(layers) && contains(layers, "2 layers")) << layers;
  const auto two =
      with_classifier(make_model(roberta(2), DType::f32, 1), {.names = {"yes", "no"}}, 2);
  const std::string labels = error_of([&] { attach_adapter(*two, scratch_.path()); });
  EXPECT_TRUE(is_one_line(labels) && contains(labels, "classifier.out_proj")) << labels;
}

}  // namespace
}  // namespace malssi
