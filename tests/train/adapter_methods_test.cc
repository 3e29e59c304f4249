// Adapters of every method: their gradients against PyTorch's, trained, saved, applied, merged, combined, resumed.
#include "train/tune/adapter_methods.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "base/json.h"
#include "data/batches.h"
#include "infer/model_predictor.h"
#include "io/combine_adapters.h"
#include "io/merge_adapter.h"
#include "io/safetensors.h"
#include "models/fresh_adapter.h"
#include "models/weight_formula.h"
#include "ops/gradients.h"
#include "ops/loss.h"
#include "tensor/tape.h"
#include "train/adapted.h"
#include "train/resume.h"
#include "train/tune/lora.h"

namespace malssi {
namespace {

Adapter fresh(const std::string& method, Model& model) {
  if (method == "dora")
    return make_adapter(model, {.rank = 3,
                                .scale = static_cast<float>(2.0 / 3),
                                .is_target = [](const std::string&) { return true; },
                                .has_magnitudes = true});
  if (method == "ia3") return make_ia3(model);
  if (method == "prompt") return make_prompt(model, 3, {}, 1);
  if (method == "prefix") return make_prefix(model, 3, 1);
  if (method == "norms") return make_norms(model);
  return make_bottlenecks(model, {.inner = 5,
                                  .activation = method == "gelu" ? BottleneckActivation::gelu
                                                                 : BottleneckActivation::relu,
                                  .scale = 0.5f});
}

struct Adapted : AdaptedModel {
  explicit Adapted(const std::string& method)
      : AdaptedModel(tiny_llama(), [&](Model& model) { return fresh(method, model); }) {}
};

class Methods : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Methods,
                         testing::Values("dora", "ia3", "prompt", "prefix", "bottleneck", "norms"));

TEST_P(Methods, LossAndGradientsAreThoseOfPyTorch) {
  const Json golden =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/train/golden_adapters.json");
  const Batch batch = batch_of(golden);
  const Json& want = golden["methods"][GetParam()];
  const Adapted adapted(GetParam());
  Tape tape;
  const Tensor loss = adapted.loss(batch);
  tape.backward(loss);
  EXPECT_NEAR(loss.f32()[0], want["loss"].get<double>(), 1e-5 * want["loss"].get<double>());
  ASSERT_EQ(adapted.parameters.size(), want["norms"].size());
  for (const Parameter& p : adapted.parameters) {
    ASSERT_TRUE(want["norms"].contains(p.name)) << p.name;
    double square = 0, wave = 0, i = 0;
    for (const float x : p.value->grad().to_vector()) {
      square += double{x} * x;
      wave += x * std::sin(1.7 * i++ + 1);
    }
    const double norm = want["norms"][p.name].get<double>();
    EXPECT_NEAR(std::sqrt(square), norm, 1e-5 * norm + 1e-9) << p.name;
    EXPECT_NEAR(wave, want["waves"][p.name].get<double>(), 2e-5 * norm + 1e-9) << p.name;
  }
}

// Not DoRA, whose norm is a constant to the gradient; bottlenecks with the activation that has no kink.
class SmoothMethods : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, SmoothMethods,
                         testing::Values("ia3", "prompt", "prefix", "gelu", "norms"));

TEST_P(SmoothMethods, GradientsMatchFiniteDifferences) {
  const Adapted adapted(GetParam());
  const Batch batch{.ids = {1, 2, 3, 4, 5},
                    .targets = {2, 3, 4, 5, 6},
                    .weights = {1, 1, 1, 1, 1},
                    .starts = {0, 3, 5}};
  std::vector<NamedInput> inputs;
  for (const Parameter& p : adapted.parameters) inputs.push_back({p.name, *p.value});
  expect_gradients([&] { return adapted.loss(batch); }, inputs, 1e-2f, 3e-2);
}

// Token by token with a cache, beside a sequence without the adapter, as in one batch.
TEST_P(Methods, DecodingWithACacheSeesWhatABatchSees) {
  const Adapted adapted(GetParam());
  Model& model = *adapted.model;
  const std::vector<int32_t> ids{3, 1, 4, 1, 5};
  const auto batched = [&](const AdapterMix& mix) {
    CausalBatch context({0, 5});
    context.set_adapters({5, mix});
    const Tensor logits = model.logits(model.hidden(ids, context));
    return logits.rows(4, 5).to_vector();
  };
  ModelPredictor predictor(model, 2, 8, DType::f32);
  predictor.set_adapters(0, {{0, 1}});
  std::vector<float> last;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::span<const int32_t> next = std::span(ids).subspan(i, 1);
    const std::vector<Predictor::Piece> pieces{{.slot = 0, .ids = next}, {.slot = 1, .ids = next}};
    const auto logits = predictor.feed(pieces);
    last.assign(logits.begin(), logits.end());
  }
  EXPECT_EQ(predictor.length(0), 5);
  const auto with = batched({{0, 1}}), without = batched({});
  for (size_t v = 0; v < 13; ++v) {
    EXPECT_NEAR(last[v], with[v], 1e-4) << v;
    EXPECT_NEAR(last[13 + v], without[v], 1e-4) << v;
  }
  EXPECT_GT(std::abs(with[0] - without[0]), 1e-3);
}

class Tuned : public TunedBase {
 protected:
  // Learns, is bit-identical where it was stopped and resumed, and its folder acts.
  template <class Settings>
  fs::path try_method(AdapterKind kind) {
    const auto begun = [&](const std::string& out) {
      AdapterConfig<Settings> config;
      settings(config, out, base_, "chats.jsonl");
      return config;
    };
    const std::string name = Settings::kName;
    const RunResult straight = run_adapter_method(begun(name), listener_.console());
    const auto metrics = read_metrics(scratch_ / name / "metrics.jsonl");
    EXPECT_LT(metrics.back().val_loss, metrics.front().val_loss) << name;
    bool sent = false;
    Listener stopping([&](const std::string& text) {
      if (sent || !contains(text, "step 8: validation")) return;
      sent = true;
      std::raise(SIGTERM);
    });
    EXPECT_EQ(run_adapter_method(begun(name + "-parts"), stopping.console()).end,
              LoopEnd::interrupted);
    const RunResult resumed = resume_run(scratch_ / (name + "-parts"), {}, listener_.console());
    EXPECT_EQ(read_file(resumed.model / "adapter_model.safetensors"),
              read_file(straight.model / "adapter_model.safetensors"))
        << name;
    EXPECT_EQ(open_adapter(straight.model).kind, kind);
    const LoadedModel loaded = load_model(base_, DType::f32);
    const auto plain = log_probabilities(*loaded.model, {});
    attach_adapter(*loaded.model, straight.model);
    EXPECT_NE(log_probabilities(*loaded.model, {{0, 1}}), plain) << name;
    return straight.model;
  }

  void expect_merged_alike(const fs::path& adapter, float weight) {
    const LoadedModel loaded = load_model(base_, DType::f32);
    attach_adapter(*loaded.model, adapter);
    const auto beside = log_probabilities(*loaded.model, {{0, weight}});
    ModelSource source = open_model(base_);
    merge_adapter(source, adapter, weight);
    const auto merged = make_model(source.config, DType::f32, std::nullopt);
    import_weights(*merged, source.find);
    const auto within = log_probabilities(*merged, {});
    for (size_t i = 0; i < beside.size(); ++i) EXPECT_NEAR(beside[i], within[i], 1e-4) << i;
  }

  void expect_no_merge(const fs::path& adapter) {
    ModelSource source = open_model(base_);
    const std::string message = error_of([&] { merge_adapter(source, adapter, 1); });
    EXPECT_TRUE(is_one_line(message) && contains(message, "cannot be merged")) << message;
  }
};

TEST_F(Tuned, Ia3LearnsAndMerges) {
  const fs::path adapter = try_method<Ia3Settings>(AdapterKind::ia3);
  expect_merged_alike(adapter, 1);
  expect_merged_alike(adapter, 0.5f);
  const Json config = load_json(adapter / "adapter_config.json");
  EXPECT_EQ(dump_json(config["target_modules"]), R"(["down_proj","k_proj","v_proj"])");
  EXPECT_EQ(dump_json(config["feedforward_modules"]), R"(["down_proj"])");
}

TEST_F(Tuned, NormsLearnAndMerge) {
  expect_merged_alike(try_method<NormsSettings>(AdapterKind::norms), 1);
}

TEST_F(Tuned, PromptsLearnAndAreNotMerged) {
  expect_no_merge(try_method<PromptSettings>(AdapterKind::prompt));
}

TEST_F(Tuned, PrefixesLearnAndAreNotMerged) {
  expect_no_merge(try_method<PrefixSettings>(AdapterKind::prefix));
}

TEST_F(Tuned, BottlenecksLearnAndAreNotMerged) {
  expect_no_merge(try_method<BottleneckSettings>(AdapterKind::bottleneck));
}

class TunedLora : public Tuned {
 protected:
  fs::path lora(const std::string& out, bool dora) {
    LoraConfig config;
    settings(config, out, base_, "chats.jsonl");
    config.train.seed = out.size();
    config.lora = {.rank = 4, .alpha = 8, .targets = "q_proj,down_proj", .dropout = 0.1};
    config.lora.dora = dora;
    return run_lora(config, listener_.console()).model;
  }
};

TEST_F(TunedLora, DoraIsSavedAsPeftDoesAndMerges) {
  const fs::path adapter = lora("dora", true);
  expect_merged_alike(adapter, 1);
  expect_merged_alike(adapter, 0.5f);
  EXPECT_EQ(load_json(adapter / "adapter_config.json")["use_dora"], true);
  const Safetensors file(adapter / "adapter_model.safetensors");
  const std::string module = "base_model.model.model.layers.0.self_attn.q_proj";
  EXPECT_NE(file.find(module + ".lora_magnitude_vector"), nullptr);
}

TEST_F(TunedLora, StackedAdaptersActAsBothAndAveragedOnesAsTheMean) {
  const fs::path a = lora("a", false), b = lora("bb", false);
  combine_adapters({{a, 0.7}, {b, 0.3}}, CombineBy::stacking, scratch_ / "stacked");
  combine_adapters({{a, 1}, {a, 3}}, CombineBy::averaging, scratch_ / "averaged");
  const LoadedModel loaded = load_model(base_, DType::f32);
  for (const fs::path& each : {a, b, scratch_ / "stacked", scratch_ / "averaged"})
    attach_adapter(*loaded.model, each);
  const auto both = log_probabilities(*loaded.model, {{0, 0.7f}, {1, 0.3f}});
  const auto stacked = log_probabilities(*loaded.model, {{2, 1}});
  const auto one = log_probabilities(*loaded.model, {{0, 1}});
  const auto averaged = log_probabilities(*loaded.model, {{3, 1}});
  for (size_t i = 0; i < both.size(); ++i) {
    EXPECT_NEAR(stacked[i], both[i], 1e-4);
    EXPECT_NEAR(averaged[i], one[i], 1e-4);
  }
}

TEST_F(TunedLora, ARunDoesNotGoOnBesideOtherWeights) {
  lora("run", false);
  const fs::path weights = base_ / "model.safetensors";
  std::string bytes = read_file(weights);
  bytes[bytes.size() - 2] ^= 1;
  overwrite(weights, bytes);
  fs::remove(base_ / "MANIFEST.json");
  const std::string message =
      error_of([&] { resume_run(scratch_ / "run", {"train.steps=30"}, listener_.console()); });
  EXPECT_TRUE(is_one_line(message) && contains(message, "began with")) << message;
}

TEST_F(Tuned, FrozenLayersStayAsTheyWere) {
  SftConfig config;
  settings(config, "top", base_, "chats.jsonl");
  config.sft.last_layers = 1;
  const fs::path tuned = run_sft(config, listener_.console()).model;
  const Safetensors before(base_ / "model.safetensors"), after(tuned / "model.safetensors");
  int64_t changed = 0;
  for (const Entry& entry : before.entries()) {
    const bool same = before.load(entry.name).to_vector() == after.load(entry.name).to_vector();
    const bool is_first = contains(entry.name, "embed") || contains(entry.name, "layers.0.");
    EXPECT_TRUE(same || !is_first) << entry.name;
    changed += same ? 0 : 1;
  }
  EXPECT_GT(changed, 5);
  config.train.out = (scratch_ / "none").string();
  config.sft.trainable = "w_query";
  EXPECT_TRUE(contains(error_of([&] { run_sft(config, listener_.console()); }), "names no weight"));
}

}  // namespace
}  // namespace malssi
