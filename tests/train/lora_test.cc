#include "train/tune/lora.h"

#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "base/json.h"
#include "io/merge_adapter.h"
#include "io/peft_targets.h"
#include "io/safetensors.h"
#include "models/weight_formula.h"
#include "ops/gradients.h"
#include "ops/loss.h"
#include "ops/principal.h"
#include "tensor/tape.h"
#include "train/adapted.h"
#include "train/pretrain/language.h"
#include "train/resume.h"
#include "train/run/trained.h"

namespace malssi {
namespace {

// The model of golden_lora.py with its adapter on all linear layers.
struct Adapted : AdaptedModel {
  explicit Adapted(float scale, const ModelConfig& config = tiny_llama(), int64_t rank = 3)
      : AdaptedModel(config, [&](Model& model) {
          return make_adapter(
              model,
              {.rank = rank, .scale = scale, .is_target = [](const std::string&) { return true; }});
        }) {}
};

TEST(LoraTraining, LossAndGradientsAreThoseOfPyTorch) {
  const Json golden = load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/train/golden_lora.json");
  const Adapted adapted(static_cast<float>(2.0 / 3));
  const Batch batch = batch_of(golden);
  Tape tape;
  const Tensor loss = adapted.loss(batch);
  tape.backward(loss);
  EXPECT_NEAR(loss.f32()[0], golden["loss"].get<double>(), 1e-5 * golden["loss"].get<double>());
  ASSERT_EQ(adapted.parameters.size(), golden["gradients"].size());
  for (const Parameter& p : adapted.parameters) {
    const auto want = golden["gradients"][p.name].get<std::vector<double>>();
    const auto got = p.value->grad().to_vector();
    ASSERT_EQ(got.size(), want.size()) << p.name;
    double error = 0, norm = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      error += (got[i] - want[i]) * (got[i] - want[i]);
      norm += want[i] * want[i];
    }
    EXPECT_LT(std::sqrt(error), 1e-5 * std::sqrt(norm)) << p.name;
  }
}

ModelConfig tiny_mixture() {
  ModelConfig config = tiny_llama();
  config.family = "mixtral";
  config.experts = 3;
  config.experts_used = 2;
  config.expert_hidden = 24;
  return config;
}

// By dense layers and by those that see some of the tokens.
class LoraGradients : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Families, LoraGradients, testing::Values("llama", "mixtral"));

TEST_P(LoraGradients, BehindDropoutMatchFiniteDifferences) {
  const Adapted adapted(0.5f, GetParam() == "llama" ? tiny_llama() : tiny_mixture());
  std::vector<NamedInput> inputs;
  for (const Parameter& p : train_adapter(*adapted.model, 0, 0.3f))
    inputs.push_back({p.name, *p.value});
  const std::vector<int32_t> ids{1, 2, 3, 4, 5}, targets{2, 3, 4, 5, 6};
  const std::vector<float> weights(5, 1);
  expect_gradients(
      [&] {
        CausalBatch context({0, 3, 5});
        AdapterRows rows(5, {{0, 1}});
        rows.set_dropout_seed(5);
        context.set_adapters(std::move(rows));
        const Tensor hidden = adapted.model->hidden(ids, context);
        return lm_loss(hidden, adapted.model->head(), targets, weights, 0.2f);
      },
      inputs, 1e-2f, 2e-2);
}

TEST(LoraTraining, TheBaseGetsNoGradientAndNoPlaceInTheOptimiser) {
  const Adapted adapted(1);
  const Batch batch{.ids = {1, 2, 3}, .targets = {2, 3, 4}, .weights = {1, 1, 1}, .starts = {0, 3}};
  Tape tape;
  tape.backward(adapted.loss(batch));
  adapted.model->visit([](const Parameter& p) { EXPECT_FALSE(p.value->wants_grad()) << p.name; });
  const auto optimizer = make_optimizer(adapted.parameters, {});
  EXPECT_EQ(optimizer->state().size(), 1 + 2 * adapted.parameters.size());
}

TEST(LoraTraining, AFreshAdapterIsKaimingsAAndChangesNothing) {
  const auto model = make_model(tiny_llama(), DType::f32, 1);
  const PeftTargets targets(peft_targets("self_attn.q_proj, down_proj"), "test");
  const Adapter adapter = make_adapter(
      *model, {.rank = 4,
               .scale = 1,
               .is_target = [&](const std::string& name) { return targets.name(name); },
               .seed = 3});
  ASSERT_EQ(adapter.parts.size(), 4u);
  for (const AdapterPart& part : adapter.parts) {
    const double bound = 1 / std::sqrt(static_cast<double>(part.a.dim(1)));
    double most = 0;
    for (const float x : part.a.to_vector()) most = std::max<double>(most, std::abs(x));
    EXPECT_LE(most, bound);
    EXPECT_GT(most, 0.9 * bound);
    for (const float x : part.b.to_vector()) EXPECT_EQ(x, 0);
  }
}

// W + scale (B A - B0 A0) is W, and W - scale B0 A0 is what numpy leaves of it without its largest singular values.
TEST(LoraTraining, APrincipalStartChangesNothingYetAndTakesTheLargestPartOfTheMatrix) {
  const auto model = make_model(tiny_llama(), DType::f32, 1);
  const Adapter fresh = make_adapter(*model, {.rank = 3,
                                              .scale = 2,
                                              .is_target = [](const std::string&) { return true; },
                                              .start = LowRankStart::principal});
  std::map<std::string, Tensor> weights;
  for (const NamedTensor& t : export_weights(*model)) weights[t.name] = t.value;
  for (const AdapterPart& part : fresh.parts) {
    const Tensor w = weights.at(part.matrix + ".weight").clone();
    const auto norm = [&] {
      double sum = 0;
      for (const float x : w.to_vector()) sum += double{x} * x;
      return sum;
    };
    const PrincipalParts all = principal_parts(w, std::min(w.dim(0), w.dim(1)), 9);
    double rest = 0;
    for (size_t i = 3; i < all.values.size(); ++i) rest += double{all.values[i]} * all.values[i];
    for (int64_t i = 0; i < w.dim(0); ++i)
      for (int64_t j = 0; j < w.dim(1); ++j)
        for (int64_t r = 0; r < 3; ++r)
          w.f32()[i * w.dim(1) + j] -= 2 * part.b.f32()[i * 3 + r] * part.a.f32()[r * w.dim(1) + j];
    EXPECT_NEAR(norm(), rest, 1e-3 * rest) << part.matrix;
  }
  const BegunAdapter begun = begin_adapter(*model, fresh, LowRankStart::principal, 0);
  const auto hidden = [&](const AdapterMix& mix) {
    CausalBatch context({0, 4});
    context.set_adapters({4, mix});
    return model->hidden(std::vector<int32_t>{1, 2, 3, 4}, context).to_vector();
  };
  const auto plain = hidden({}), began = hidden(begun.mix), without = hidden({begun.mix.front()});
  double most = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR(began[i], plain[i], 1e-4);
    most = std::max<double>(most, std::abs(without[i] - plain[i]));
  }
  EXPECT_GT(most, 0.05);
  EXPECT_EQ(begun.parameters.size(), 2 * fresh.parts.size());
}

TEST(LoraTraining, DropoutActsOnAdaptersWhereAPassHasASeedAndIsTheSameForTheSameSeed) {
  const Adapted adapted(1);
  const auto with = [&](float rate, uint64_t seed) {
    train_adapter(*adapted.model, 0, rate);
    CausalBatch context({0, 4});
    AdapterRows rows(4, {{0, 1}});
    rows.set_dropout_seed(seed);
    context.set_adapters(std::move(rows));
    return adapted.model->hidden(std::vector<int32_t>{1, 2, 3, 4}, context).to_vector();
  };
  const auto plain = with(0, 5);
  EXPECT_EQ(with(0.5f, 0), plain);
  EXPECT_NE(with(0.5f, 5), plain);
  EXPECT_EQ(with(0.5f, 5), with(0.5f, 5));
  EXPECT_NE(with(0.5f, 5), with(0.5f, 6));
}

TEST(PeftTargets, AreNamesAnExpressionOrAllLinear) {
  EXPECT_EQ(dump_json(peft_targets("q_proj, v_proj")), R"(["q_proj","v_proj"])");
  EXPECT_EQ(dump_json(peft_targets("all-linear")), R"("all-linear")");
  const PeftTargets expression(peft_targets(R"(.*layers\.[01]\..*q_proj)"), "test");
  EXPECT_TRUE(expression.name("model.layers.1.self_attn.q_proj"));
  EXPECT_FALSE(expression.name("model.layers.2.self_attn.q_proj"));
  EXPECT_TRUE(contains(error_of([] { peft_targets(" , "); }), "no targets"));
}

class Lora : public TunedBase {
 protected:
  LoraConfig config(const std::string& out) const {
    LoraConfig config;
    config.lora = {.rank = 4, .alpha = 8, .targets = "all-linear", .dropout = 0.05};
    settings(config, out, base_, "chats.jsonl");
    config.train.steps = 48;
    config.log.every = 1;
    return config;
  }
};

std::string numbers_of(const fs::path& adapter) {
  return read_file(adapter / "adapter_model.safetensors");
}

// Of "rain." after the question that the conversations ask.
double answer_loss(Model& model, const AdapterMix& adapters, const LoadedModel& loaded) {
  const std::vector<Message> chat = {{"user", "Mina sees"}, {"assistant", "rain."}};
  const std::vector<int32_t> ids =
      encode_chat(*loaded.tokenizer, loaded.dialogue(), chat, false).ids;
  const std::vector<int32_t> seen(ids.begin(), ids.end() - 1), next(ids.begin() + 1, ids.end());
  std::vector<float> weights(seen.size(), 0);
  std::fill(weights.end() - 2, weights.end(), 1.0f);
  CausalBatch context({0, static_cast<int32_t>(seen.size())});
  context.set_adapters({std::ssize(seen), adapters});
  return lm_loss(model.hidden(seen, context), model.head(), next, weights, 0.5f).f32()[0];
}

TEST_F(Lora, LearnsItsAnswersAndLeavesAFolderThatActsAlikeMerged) {
  Listener listener;
  const std::string before = weights_of(base_);
  const RunResult result = run_lora(config("run"), listener.console());
  EXPECT_EQ(result.end, LoopEnd::finished);
  EXPECT_EQ(result.model, scratch_ / "run/adapter");
  EXPECT_EQ(weights_of(base_), before);
  const auto metrics = read_metrics(scratch_ / "run/metrics.jsonl");
  EXPECT_LT(metrics.back().val_loss, 0.5 * metrics.front().val_loss);

  const LoadedModel loaded = load_model(base_, DType::f32);
  const auto plain = log_probabilities(*loaded.model, {});
  const int64_t number = attach_adapter(*loaded.model, result.model);
  const auto beside = log_probabilities(*loaded.model, {{number, 1}});
  ModelSource source = open_model(base_);
  merge_adapter(source, result.model, 1);
  const auto merged = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*merged, source.find);
  const auto within = log_probabilities(*merged, {});
  for (size_t i = 0; i < beside.size(); ++i) EXPECT_NEAR(beside[i], within[i], 1e-4);
  EXPECT_NE(beside, plain);
}

TEST_F(Lora, TheFolderHasTheNamesAndShapesThatPeftExpects) {
  Listener listener;
  auto some = config("run");
  some.lora = {.rank = 3, .alpha = 6, .targets = "q_proj,v_proj", .rslora = true};
  some.train.steps = 1;
  const fs::path folder = run_lora(some, listener.console()).model;
  const Json json = load_json(folder / "adapter_config.json");
  EXPECT_EQ(json["peft_type"], "LORA");
  EXPECT_EQ(json["r"], 3);
  EXPECT_EQ(json["use_rslora"], true);
  EXPECT_EQ(dump_json(json["target_modules"]), R"(["q_proj","v_proj"])");
  const Safetensors file(folder / "adapter_model.safetensors");
  EXPECT_EQ(file.entries().size(), 8u);
  const std::string module = "base_model.model.model.layers.1.self_attn.v_proj";
  EXPECT_EQ(describe(*file.find(module + ".lora_A.weight")), "F32 [3, 16]");
  EXPECT_EQ(describe(*file.find(module + ".lora_B.weight")), "F32 [16, 3]");
  EXPECT_FLOAT_EQ(open_adapter(folder).parts.front().scale, 6 / std::sqrt(3.0f));
}

TEST_F(Lora, OfAPrincipalStartLeavesAPlainFolderOfTwiceTheRank) {
  Listener listener;
  auto pissa = config("run");
  pissa.lora = {.rank = 4, .alpha = 8, .targets = "all-linear", .init = "pissa"};
  const RunResult result = run_lora(pissa, listener.console());
  const auto metrics = read_metrics(scratch_ / "run/metrics.jsonl");
  EXPECT_LT(metrics.back().val_loss, 0.5 * metrics.front().val_loss);
  const Json json = load_json(result.model / "adapter_config.json");
  EXPECT_EQ(json["r"], 8);
  EXPECT_EQ(json["lora_alpha"], 16);
  EXPECT_EQ(json["init_lora_weights"], true);
  EXPECT_EQ(open_adapter(result.model).parts.front().scale, 2);
  ModelSource source = open_model(base_);
  merge_adapter(source, result.model, 1);
  const auto merged = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*merged, source.find);
  const LoadedModel loaded = load_model(base_, DType::f32);
  const auto plain = log_probabilities(*loaded.model, {});
  const int64_t number = attach_adapter(*loaded.model, result.model);
  const auto beside = log_probabilities(*loaded.model, {{number, 1}});
  const auto within = log_probabilities(*merged, {});
  for (size_t i = 0; i < beside.size(); ++i) EXPECT_NEAR(beside[i], within[i], 1e-4);
  EXPECT_NE(beside, plain);
  EXPECT_LT(answer_loss(*loaded.model, {{number, 1}}, loaded),
            0.5 * answer_loss(*loaded.model, {}, loaded));
}

TEST_F(Lora, StoppedAndResumedEndsWithTheSameNumbers) {
  for (const std::string compute : {"f32", "bf16", "pissa"}) {
    Listener quiet;
    auto whole = config("whole-" + compute), parts = config("parts-" + compute);
    whole.train.compute = parts.train.compute = compute == "f32" ? "f32" : "bf16";
    if (compute == "pissa") whole.lora.init = parts.lora.init = compute;
    const RunResult straight = run_lora(whole, quiet.console());
    bool sent = false;
    Listener listener([&](const std::string& text) {
      if (sent || !contains(text, "step 8: validation")) return;
      sent = true;
      std::raise(SIGTERM);
    });
    ASSERT_EQ(run_lora(parts, listener.console()).end, LoopEnd::interrupted);
    const RunResult resumed = resume_run(parts.train.out, {}, quiet.console());
    EXPECT_EQ(numbers_of(resumed.model), numbers_of(straight.model)) << compute;
  }
}

TEST_F(Lora, WhatCannotBeDoneIsToldInOneLine) {
  Listener listener;
  const auto refused = [&](const LoraConfig& wrong, std::string_view word) {
    const std::string message = error_of([&] { run_lora(wrong, listener.console()); });
    EXPECT_TRUE(is_one_line(message) && contains(message, word)) << message;
    EXPECT_FALSE(fs::exists(scratch_ / "run/run.json"));
  };
  auto nothing = config("run");
  nothing.lora.targets = "w_query";
  refused(nothing, "self_attn.q_proj");
  auto broken = config("run");
  broken.lora.targets = "(";
  refused(broken, "lora.targets");
  auto both = config("run");
  both.lora.init = "pissa";
  both.lora.dora = true;
  refused(both, "DoRA");
  auto wide = config("run");
  wide.lora.init = "pissa";
  wide.lora.rank = 17;
  refused(wide, "lower the rank");
  auto tokens = config("run");
  tokens.sft.chat_template = "llama3";
  refused(tokens, "brings no tokens");
}

}  // namespace
}  // namespace malssi
