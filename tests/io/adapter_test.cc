// LoRA adapters from files: against PyTorch on merged weights (golden_lora.py writes lora/), through GGUF, and damaged ones.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "io/gguf.h"
#include "io/gguf_writer.h"
#include "io/inspect.h"
#include "io/merge_adapter.h"
#include "io/model_folder.h"
#include "io/safetensors.h"
#include "models/family.h"
#include "models/weight_formula.h"
#include "scratch.h"

namespace malssi {
namespace {

const fs::path kFolder = fs::path(MALSSI_SOURCE_DIR) / "tests" / "io" / "lora";

const Json& golden() {
  static const Json json = load_json(kFolder / "golden.json");
  return json;
}

std::unique_ptr<Model> model_of(const Json& config) {
  auto model = make_model(config_from_hf(config, "config.json"), DType::f32, 1);
  fill_by_formula(*model);
  return model;
}

std::vector<float> logits_of(Model& model, const AdapterMix& mix) {
  const std::vector<int32_t> ids{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
  CausalBatch batch({0, 7, 11});
  batch.set_adapters({11, mix});
  return model.logits(model.hidden(ids, batch)).to_vector();
}

// How far apart the furthest two are.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a[i] - b[i]));
  return most;
}

class LoraGolden : public testing::TestWithParam<int> {
 protected:
  const Json& want() const { return golden()[static_cast<size_t>(GetParam())]; }
  std::vector<float> logits() const { return want()["logits"].get<std::vector<float>>(); }
  ScratchFolder scratch_;
};
INSTANTIATE_TEST_SUITE_P(All, LoraGolden, testing::Range(0, 9), [](const auto& info) {
  const Json& adapters = golden()[static_cast<size_t>(info.param)]["adapters"];
  return adapters.back()[0].get<std::string>();
});

TEST_P(LoraGolden, UnmergedGivesTheLogitsOfPyTorchMerged) {
  const auto model = model_of(want()["config"]);
  AdapterMix mix;
  for (const Json& adapter : want()["adapters"])
    mix.push_back({attach_adapter(*model, kFolder / adapter[0].get<std::string>()), adapter[1]});
  EXPECT_GT(distance(logits_of(*model, {}), logits()), 0.02);
  EXPECT_LT(distance(logits_of(*model, mix), logits()), 1e-4);
}

TEST_P(LoraGolden, MergedGivesTheSame) {
  ModelSource source;
  source.config = config_from_hf(want()["config"], "config.json");
  const auto plain = model_of(want()["config"]);
  std::map<std::string, Tensor> weights;
  for (const NamedTensor& t : export_weights(*plain)) weights[t.name] = t.value;
  source.find = [&](const std::string& name) { return weights.at(name); };
  for (const Json& adapter : want()["adapters"])
    merge_adapter(source, kFolder / adapter[0].get<std::string>(), adapter[1]);
  const auto merged = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*merged, source.find);
  EXPECT_LT(distance(logits_of(*merged, {}), logits()), 1e-4);
}

TEST_P(LoraGolden, AsGgufGivesTheSameOrIsRefused) {
  const auto model = model_of(want()["config"]);
  AdapterMix mix;
  for (const Json& adapter : want()["adapters"]) {
    const std::string name = adapter[0];
    const fs::path file = scratch_ / (name + ".gguf");
    const auto shape = make_model(model->config(), DType::f32, std::nullopt);
    const std::string message =
        error_of([&] { write_gguf_adapter(file, open_adapter(kFolder / name), *shape); });
    if (name == "roberta") {
      EXPECT_TRUE(is_one_line(message) && contains(message, "GGUF")) << message;
      return;
    }
    ASSERT_EQ(message, "");
    EXPECT_TRUE(is_adapter(file));
    mix.push_back({attach_adapter(*model, file), adapter[1]});
  }
  EXPECT_LT(distance(logits_of(*model, mix), logits()), 1e-4);
}

TEST(LoraFiles, ActOnQuantisedWeights) {
  const ModelConfig config{
      .vocab = 40, .width = 64, .layers = 2, .heads = 2, .hidden = 96, .activation = {}};
  const auto plain = make_model(config, DType::f32, 1);
  std::map<std::string, Tensor> narrow, wide;
  for (const NamedTensor& t : export_weights(*plain)) {
    const DType dtype = t.value.shape().rank() == 2 ? DType::q8_0 : DType::f32;
    narrow[t.name] = from_f32(t.value, dtype, {}, t.name);
    wide[t.name] = narrow[t.name].to(DType::f32);
  }
  Adapter adapter{"here", {}};
  for (const char* name : {"model.layers.0.self_attn.v_proj", "model.layers.1.mlp.up_proj"}) {
    const int64_t rows = wide.at(concat(name, ".weight")).dim(0);
    adapter.parts.push_back(
        {name, formula(concat(name, "a"), {4, 64}), formula("b", {rows, 4}), 1});
  }
  const auto logits = [&](const std::map<std::string, Tensor>& weights) {
    const auto model = make_model(config, DType::f32, std::nullopt);
    import_weights(
        *model, [&](const std::string& name) { return weights.at(name); }, ImportMode::hold);
    return logits_of(*model, {{model->attach(adapter), 1}});
  };
  const std::vector<float> want = logits(wide);
  EXPECT_GT(distance(logits_of(*plain, {}), want), 0.3);
  EXPECT_LT(distance(logits(narrow), want), 0.03);
}

TEST(LoraFiles, StackedExpertsOfGgufAreTakenApart) {
  const Json& config = golden()[5]["config"];
  ASSERT_EQ(config["model_type"], "mixtral");
  const auto first = model_of(config), second = model_of(config);
  const Tensor a = formula("a", {4, 2, 16}), b = formula("b", {4, 24, 2});
  const ScratchFolder scratch;
  GgufWriter writer(scratch / "stack.gguf");
  for (const auto& [key, value] : {std::pair{"general.type", "adapter"},
                                   {"general.architecture", "llama"},
                                   {"adapter.type", "lora"}})
    writer.put(key, std::string(value));
  writer.announce("blk.1.ffn_up_exps.weight.lora_a", DType::f32, a.shape());
  writer.announce("blk.1.ffn_up_exps.weight.lora_b", DType::f32, b.shape());
  writer.write(a.data(), a.bytes());
  writer.write(b.data(), b.bytes());
  writer.commit();
  Adapter plain{"here", {}};
  for (int64_t e = 0; e < 4; ++e)
    plain.parts.push_back({concat("model.layers.1.block_sparse_moe.experts.", e, ".w3"),
                           a.rows(e, e + 1).view({2, 16}), b.rows(e, e + 1).view({24, 2}), 1});
  const AdapterMix by_file{{attach_adapter(*first, scratch / "stack.gguf"), 1}};
  const AdapterMix by_hand{{second->attach(plain), 1}};
  EXPECT_EQ(logits_of(*first, by_file), logits_of(*second, by_hand));
  EXPECT_GT(distance(logits_of(*first, by_file), logits_of(*first, {})), 0.01);
}

TEST(LoraFiles, AreInspected) {
  const Json json = inspect(kFolder / "llama");
  EXPECT_EQ(json["kind"], "adapter");
  EXPECT_EQ(json["adapter"]["base"], "tiny/llama");
  EXPECT_EQ(json["adapter"]["ranks"], Json({2, 3}));
  EXPECT_EQ(json["adapter"]["matrices"], 14);
  EXPECT_EQ(json["adapter"]["targets"].size(), 7u);
  EXPECT_EQ(json["tensors"].size(), 28u);
  int64_t parameters = 0;
  for (const Json& tensor : json["tensors"]) parameters += tensor["bytes"].get<int64_t>() / 4;
  EXPECT_EQ(json["parameters"], parameters);
}

// A copy of lora/llama that can be damaged.
class BadLora : public testing::Test {
 protected:
  void SetUp() override {
    config_ = load_json(kFolder / "llama" / "adapter_config.json");
    const Safetensors file(kFolder / "llama" / "adapter_model.safetensors");
    for (const Entry& entry : file.entries())
      tensors_.push_back({entry.name, file.load(entry.name)});
  }
  // The one line that is said of the adapter as it is now, which it has to contain.
  void expect(std::string_view word) {
    overwrite(scratch_ / "adapter_config.json", dump_json(config_));
    write_safetensors(scratch_ / "adapter_model.safetensors", tensors_);
    expect_of_files(word);
    SetUpAgain();
  }
  void expect_of_files(std::string_view word) {
    const auto model = model_of(golden()[0]["config"]);
    const std::string message = error_of([&] { attach_adapter(*model, scratch_.path()); });
    EXPECT_TRUE(is_one_line(message) && contains(message, word)) << word << ": " << message;
  }
  void SetUpAgain() {
    tensors_.clear();
    SetUp();
  }
  NamedTensor& named(std::string_view end) {
    for (NamedTensor& t : tensors_)
      if (t.name.ends_with(end)) return t;
    throw InternalError(concat("no tensor ", end));
  }

  ScratchFolder scratch_;
  Json config_;
  std::vector<NamedTensor> tensors_;
};

TEST_F(BadLora, SettingsThatCannotBeHonouredAreNamed) {
  const std::vector<std::pair<const char*, Json>> settings = {
      {"use_dora", true},
      {"modules_to_save", {"lm_head"}},
      {"bias", "lora_only"},
      {"target_parameters", {"experts.gate_up_proj"}},
      {"trainable_token_indices", {1, 2}},
      {"init_lora_weights", "pissa"},
      {"alora_invocation_tokens", {7}}};
  for (const auto& [key, value] : settings) {
    config_[key] = value;
    expect(key);
  }
  config_["peft_type"] = "LOHA";
  expect("LOHA");
}

TEST_F(BadLora, NumbersThatCannotBeAreNamed) {
  for (const Json& rank : {Json(3), Json(0), Json(1.5), Json(1e18)}) {
    config_["r"] = rank;
    expect("rank");
  }
  config_["lora_alpha"] = 1e300;
  expect("finite");
  config_["lora_alpha"] = "much";
  expect("lora_alpha");
  config_["rank_pattern"] = {{"(", 3}};
  expect("adapter_config.json");
  config_["alpha_pattern"] = {{"q_proj", "x"}};
  expect("alpha_pattern");
  config_["target_modules"] = {"k_proj"};
  expect("target_modules");
  config_["target_modules"] = "[";
  expect("adapter_config.json");
}

TEST_F(BadLora, TensorsThatDoNotBelongAreNamed) {
  named("layers.0.self_attn.q_proj.lora_A.weight").value = Tensor::zeros({2, 17});
  expect("another base model");
  named("layers.0.self_attn.q_proj.lora_B.weight").value = Tensor::zeros({16, 2, 1});
  expect("a matrix of");
  named("layers.0.self_attn.q_proj.lora_B.weight").name += "x";
  expect("no lora_A or lora_B");
  tensors_.pop_back();
  expect("not whole");
  tensors_.push_back({"base_model.model.score.weight", Tensor::zeros({16})});
  expect("a matrix of");
  tensors_.push_back({"base_model.model.classifier.bias", Tensor::zeros({2, 2})});
  expect("a vector of");
  tensors_.push_back({"base_model.model.score.weight", Tensor::zeros({3, 16})});
  expect("classifier of 3 labels");
  tensors_.push_back(
      {"base_model.model.model.embed_tokens.lora_embedding_A", Tensor::zeros({2, 4})});
  expect("embedding");
  tensors_.push_back({"base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector",
                      Tensor::zeros({16})});
  expect("DoRA");
  tensors_.clear();
  expect("no tensors");
  config_["target_modules"] = "all-linear";
  tensors_.push_back({"base_model.model.vision.layers.0.q.lora_A.weight", Tensor::zeros({2, 16})});
  tensors_.push_back({"base_model.model.vision.layers.0.q.lora_B.weight", Tensor::zeros({16, 2})});
  expect("vision.layers.0.q");
}

TEST_F(BadLora, AFileThatIsCutOrAbsentIsNamed) {
  expect_of_files("no adapter");
  overwrite(scratch_ / "adapter_config.json", dump_json(config_));
  expect_of_files("adapter_model.safetensors");
  overwrite(scratch_ / "adapter_model.bin", "pickle");
  expect_of_files("pickle");
  const std::string whole = read_file(kFolder / "llama" / "adapter_model.safetensors");
  for (const size_t size : {size_t{0}, size_t{7}, size_t{100}, whole.size() - 1}) {
    overwrite(scratch_ / "adapter_model.safetensors", whole.substr(0, size));
    expect_of_files("adapter_model.safetensors");
  }
}

TEST_F(BadLora, GgufFilesThatAreCutOrForOthersAreNamed) {
  const auto llama = model_of(golden()[0]["config"]), qwen = model_of(golden()[2]["config"]);
  const fs::path file = scratch_ / "a.gguf";
  write_gguf_adapter(file, open_adapter(kFolder / "llama"), *llama);
  const std::string message = error_of([&] { attach_adapter(*qwen, file); });
  EXPECT_TRUE(is_one_line(message) && contains(message, "architecture \"llama\"")) << message;
  const std::string whole = read_file(file);
  for (size_t size = 0; size < whole.size(); size += 1 + size / 50) {
    overwrite(file, whole.substr(0, size));
    EXPECT_TRUE(is_one_line(error_of([&] { attach_adapter(*llama, file); }))) << size;
  }
}

TEST_F(BadLora, IsToldFromAModel) {
  const auto refused = error_of([] { load_model(kFolder / "llama", {}); });
  EXPECT_TRUE(contains(refused, "--lora")) << refused;
  const auto model = model_of(golden()[0]["config"]);
  write_gguf_adapter(scratch_ / "a.gguf", open_adapter(kFolder / "llama"), *model);
  const auto also = error_of([&] { load_model(scratch_ / "a.gguf", {}); });
  EXPECT_TRUE(contains(also, "--lora")) << also;
}

}  // namespace
}  // namespace malssi
