#include "io/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "io/safetensors.h"
#include "io/tiny_model.h"
#include "scratch.h"

namespace malssi {
namespace {

class Checkpoint : public testing::Test {
 protected:
  void save(int64_t step, int64_t keep = 2) {
    const TrainState state = {.json = {{"step", step}},
                              .tensors = {lazily("m", Tensor::full({2}, 1))}};
    save_checkpoint(run_, step, *model_, *tokenizer_, state, keep);
  }
  std::optional<int64_t> latest_step() {
    warnings_.clear();
    const auto folder = latest_checkpoint(run_, [&](std::string_view line) { warnings_ += line; });
    if (!folder) return {};
    return get<int64_t>(load_train_state(*folder).json, "step", "state");
  }
  fs::path file(int64_t step, std::string_view name) {
    return checkpoint_folder(run_, step) / name;
  }

  ScratchFolder scratch_;
  fs::path run_ = scratch_ / "run";
  std::unique_ptr<Model> model_ = make_model(tiny_config(), DType::f32, 1);
  std::unique_ptr<Tokenizer> tokenizer_ = tiny_tokenizer();
  std::string warnings_;
};

TEST_F(Checkpoint, BringsBackEveryBitOfTheState) {
  const float numbers[] = {1.5f, -0.0f, std::numeric_limits<float>::quiet_NaN(), 1e-44f, -INFINITY};
  const TrainState state = {
      .json = {{"step", 3}, {"rng", {18446744073709551615u, 1u}}, {"best", 0.1}},
      .tensors = {lazily("moment", Tensor::from(numbers, {5})),
                  lazily("half", Tensor::from(numbers, {5}).to(DType::bf16))}};
  save_checkpoint(run_, 3, *model_, *tokenizer_, state);
  const TrainState loaded = load_train_state(*latest_checkpoint(run_));
  EXPECT_EQ(loaded.json, state.json);
  ASSERT_EQ(loaded.tensors.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(loaded.tensors[i].name, state.tensors[i].name);
    const Tensor a = loaded.tensors[i].load(), b = state.tensors[i].load();
    ASSERT_EQ(a.bytes(), b.bytes());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), static_cast<size_t>(a.bytes())), 0);
  }
}

TEST_F(Checkpoint, IsAModelFolder) {
  save(1);
  const LoadedModel loaded = load_model(*latest_checkpoint(run_), DType::f32);
  EXPECT_EQ(tiny_logits(*loaded.model), tiny_logits(*model_));
}

TEST_F(Checkpoint, KeepsAtLeastTwo) {
  EXPECT_EQ(latest_step(), std::nullopt);
  for (int64_t step = 0; step <= 4; ++step) save(step, 1);
  EXPECT_EQ(checkpoint_steps(run_), (std::vector<int64_t>{4, 3}));
  save(12, 3);
  EXPECT_EQ(checkpoint_steps(run_), (std::vector<int64_t>{12, 4, 3}));
  EXPECT_EQ(latest_step(), 12);
  EXPECT_EQ(fs::read_symlink(run_ / "checkpoints/latest"), checkpoint_folder("", 12).filename());
  save(12, 2);
  EXPECT_EQ(checkpoint_steps(run_), (std::vector<int64_t>{12, 4}));
}

TEST_F(Checkpoint, ThatIsDamagedIsSkippedWithItsReason) {
  for (const char* name : {"model.safetensors", "train_state.json", "train_state.safetensors",
                           "config.json", "tokenizer.json"}) {
    save(1);
    save(2);
    std::string content = read_file(file(2, name));
    content[content.size() / 2] ^= 1;
    overwrite(file(2, name), content);
    EXPECT_EQ(latest_step(), 1) << name;
    EXPECT_TRUE(contains(warnings_, name) && contains(warnings_, "step-00000002")) << warnings_;
    fs::remove(file(1, name));
    const std::string message = error_of([&] { latest_step(); });
    EXPECT_TRUE(is_one_line(message) && contains(message, "no checkpoint")) << message;
    fs::remove_all(run_);
  }
}

TEST_F(Checkpoint, FallsBackAtEveryTruncationOfItsManifest) {
  save(1);
  save(2);
  const fs::path manifest = file(2, kManifestName);
  const std::string content = read_file(manifest);
  for (size_t length = 0; length < content.rfind('}'); ++length) {
    overwrite(manifest, content.substr(0, length));
    EXPECT_EQ(latest_step(), 1) << length;
    EXPECT_TRUE(is_one_line(warnings_)) << warnings_;
  }
}

TEST_F(Checkpoint, ReplacesADamagedOneOfItsStepAndRemovesDamagedLaterOnes) {
  for (const int64_t step : {1, 2, 3}) save(step);
  overwrite(file(2, kManifestName), "{");
  overwrite(file(3, "config.json"), "{");
  EXPECT_TRUE(contains(error_of([&] { latest_step(); }), "no checkpoint"));
  save(2);
  EXPECT_EQ(checkpoint_steps(run_), (std::vector<int64_t>{2}));
  EXPECT_EQ(latest_step(), 2);
}

TEST_F(Checkpoint, RemovesWhatKilledWritersLeft) {
  save(1);
  for (const char* name : {"step-00000007.tmp", "step-00000000.old"}) {
    fs::create_directories(run_ / "checkpoints" / name);
    overwrite(run_ / "checkpoints" / name / "rest", "x");
  }
  overwrite(run_ / "checkpoints" / "latest.tmp", "x");
  EXPECT_EQ(latest_step(), 1);
  save(2);
  int64_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(run_ / "checkpoints")) ++entries;
  EXPECT_EQ(entries, 3);  // two checkpoints and the link
}

TEST_F(Checkpoint, AreSettledAfterASaverWasKilled) {
  for (const int64_t step : {1, 2, 3}) save(step, 3);
  fs::rename(checkpoint_folder(run_, 1), checkpoint_folder(run_, 1).string() + ".old");
  fs::remove(run_ / "checkpoints/latest");
  save(4, 3);  // with three kept, as if it had been killed before the rest
  fs::create_directory(checkpoint_folder(run_, 1).string() + ".old");
  settle_checkpoints(run_, 4, 2);
  EXPECT_EQ(checkpoint_steps(run_), (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(fs::read_symlink(run_ / "checkpoints/latest"), "step-00000004");
  EXPECT_FALSE(fs::exists(checkpoint_folder(run_, 1).string() + ".old"));
}

TEST_F(Checkpoint, IgnoresOtherNames) {
  for (const char* name : {"step-", "step-x", "step-1", "step--0000001", "step-00000001x", "other"})
    fs::create_directories(run_ / "checkpoints" / name);
  EXPECT_TRUE(checkpoint_steps(run_).empty());
  EXPECT_EQ(latest_step(), std::nullopt);
}

}  // namespace
}  // namespace malssi
