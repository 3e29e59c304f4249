#include "io/inspect.h"

#include <gtest/gtest.h>

#include "io/checkpoint.h"
#include "io/tiny_model.h"
#include "scratch.h"

namespace malssi {
namespace {

TEST(Inspect, ShowsAModel) {
  const ScratchFolder scratch;
  for (const char* family : {"gpt2", "llama"}) {
    const auto model = make_model(tiny_config(family), DType::f32, 1);
    save_model(scratch / "m", *model, *tiny_tokenizer(), nullptr, {.dtype = DType::bf16});
    const Json result = inspect(scratch / "m");
    EXPECT_EQ(result["kind"], "model");
    EXPECT_EQ(result["damage"], nullptr);
    EXPECT_EQ(result["parameters"], model->parameter_count()) << family;
    EXPECT_EQ(result["memory"]["weights_bf16"], 2 * model->parameter_count());
    EXPECT_EQ(result["config"]["family"], family);
    EXPECT_EQ(result["tokenizer"]["tokens"], 6);
    EXPECT_EQ(result["chat_template"], nullptr);
    EXPECT_EQ(result["tensors"][0]["dtype"], "BF16");
  }
}

TEST(Inspect, ShowsARunAndItsDamage) {
  const ScratchFolder scratch;
  const auto model = make_model(tiny_config(), DType::f32, 1);
  for (const int64_t step : {5, 6})
    save_checkpoint(scratch.path(), step, *model, *tiny_tokenizer(),
                    {.json = {{"step", step}}, .tensors = {}});
  overwrite(checkpoint_folder(scratch.path(), 6) / "config.json", "{}");
  const Json run = inspect(scratch.path());
  EXPECT_EQ(run["kind"], "run");
  EXPECT_EQ(run["checkpoints"][0]["step"], 6);
  EXPECT_TRUE(run["checkpoints"][0]["damage"].is_string());
  EXPECT_TRUE(run["checkpoints"][1]["damage"].is_null());
  const Json checkpoint = inspect(checkpoint_folder(scratch.path(), 5));
  EXPECT_EQ(checkpoint["kind"], "checkpoint");
  EXPECT_EQ(checkpoint["training"]["step"], 5);
}

TEST(Inspect, ShowsFilesAlone) {
  const ScratchFolder scratch;
  const auto model = make_model(tiny_config(), DType::f32, 1);
  save_model(scratch / "m", *model, *tiny_tokenizer(), nullptr);
  const Json weights = inspect(scratch / "m" / "model.safetensors");
  EXPECT_EQ(weights["kind"], "weights");
  EXPECT_EQ(weights["parameters"], model->parameter_count());
  EXPECT_EQ(inspect(scratch / "m" / "tokenizer.json")["kind"], "tokenizer");
}

TEST(Inspect, ShowsWeightsOfAnUnknownArchitecture) {
  const ScratchFolder scratch;
  const auto model = make_model(tiny_config(), DType::f32, 1);
  save_model(scratch / "m", *model, *tiny_tokenizer(), nullptr);
  overwrite(scratch / "m" / "config.json", R"({"model_type":"rwkv"})");
  const Json result = inspect(scratch / "m");
  EXPECT_TRUE(contains(result["config_problem"].get<std::string>(), "rwkv"));
  EXPECT_EQ(result["parameters"], model->parameter_count());
}

TEST(Inspect, ShowsWhatTorchSaved) {
  const Json result = inspect(fs::path(MALSSI_SOURCE_DIR) / "tests/io/torch/protocol2.bin");
  EXPECT_EQ(result["kind"], "weights");
  ASSERT_FALSE(result["tensors"].empty());
  EXPECT_TRUE(result["tensors"][0].contains("shape"));
}

TEST(Inspect, SaysWhatItCannotRead) {
  const ScratchFolder scratch;
  overwrite(scratch / "text", "x");
  overwrite(scratch / "bad.safetensors", "x");
  overwrite(scratch / "bad.json", "x");
  overwrite(scratch / "bad.bin", "x");
  for (const fs::path& path :
       {scratch / "none", scratch / "text", scratch / "bad.safetensors", scratch / "bad.json",
        scratch / "bad.bin", scratch.path(), fs::path("/dev/null")})
    EXPECT_TRUE(is_one_line(error_of([&] { inspect(path); }))) << path;
}

}  // namespace
}  // namespace malssi
