// What tests of adapters share: a tiny model with numbers by formula under an adapter, and a tuned base model with conversations
// that want other answers of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "data/batches.h"
#include "models/adapter.h"
#include "models/weight_formula.h"
#include "nn/context.h"
#include "ops/loss.h"
#include "train/runs.h"
#include "train/tune/sft.h"

namespace malssi {

inline ModelConfig tiny_llama() {
  return {.vocab = 13,
          .width = 16,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .hidden = 24,
          .context = 16,
          .tied = false,
          .activation = {}};
}

// The batch of a golden file.
inline Batch batch_of(const Json& golden) {
  return {.ids = golden["ids"].get<std::vector<int32_t>>(),
          .targets = golden["targets"].get<std::vector<int32_t>>(),
          .weights = golden["weights"].get<std::vector<float>>(),
          .starts = golden["starts"].get<std::vector<int32_t>>()};
}

// A frozen model whose weights, and those of its adapter, are by formula. make(model) -> Adapter.
struct AdaptedModel {
  std::unique_ptr<Model> model;
  std::vector<Parameter> parameters;

  template <class Make>
  AdaptedModel(const ModelConfig& config, const Make& make)
      : model(make_model(config, DType::f32, 1)) {
    fill_by_formula(*model);
    freeze(*model);
    parameters = train_adapter(*model, model->attach(make(*model)), 0);
    for (const Parameter& p : parameters) p.value->copy_from(formula(p.name, p.value->shape()));
  }
  // The mean over what is scored.
  Tensor loss(const Batch& batch) const {
    CausalBatch context(batch.starts);
    context.set_adapters({batch.tokens(), {{0, 1}}});
    return lm_loss(model->hidden(batch.ids, context), model->head(), batch.targets, batch.weights,
                   static_cast<float>(1 / batch.scored()));
  }
};

// Log-probabilities of each next token of a text.
inline std::vector<float> log_probabilities(Model& model, const AdapterMix& adapters) {
  const std::vector<int32_t> ids{1, 2, 3, 4, 5, 6}, targets{2, 3, 4, 5, 6, 7};
  CausalBatch context({0, 6});
  context.set_adapters({6, adapters});
  std::vector<float> losses;
  lm_loss(model.hidden(ids, context), model.head(), targets, std::vector<float>(6, 1), 1, &losses);
  return losses;
}

class TunedBase : public testing::Test {
 protected:
  void SetUp() override {
    auto config = little_config(scratch_, "pretrained");
    config.model.context = 64;
    config.optim.lr = 1e-2;
    config.train.steps = 30;
    const fs::path pretrained = run_pretrain(config, listener_.console()).model;
    write_chats("first.jsonl", "tea.");
    write_chats("chats.jsonl", "rain.");
    SftConfig tuned;
    settings(tuned, "tuned", pretrained, "first.jsonl");
    tuned.train.steps = 30;
    base_ = run_sft(tuned, listener_.console()).model;
  }

  void write_chats(const std::string& name, const std::string& answer) {
    std::string lines;
    for (int i = 0; i < 40; ++i)
      lines += R"({"messages":[{"role":"user","content":"Mina sees"},)"
               R"({"role":"assistant","content":")" +
               answer + R"("}]})" + "\n";
    overwrite(scratch_ / name, lines);
  }

  template <class Config>
  void settings(Config& config, const std::string& out, const fs::path& model,
                const std::string& data) const {
    config.sft.model = model.string();
    config.sft.data = {(scratch_ / data).string()};
    config.optim.lr = 2e-2;
    config.optim.warmup_steps = 2;
    config.train.out = (scratch_ / out).string();
    config.train.compute = "f32";
    config.train.threads = 1;
    config.train.steps = 16;
    config.train.batch_rows = 4;
    config.train.eval_every = 8;
    config.train.checkpoint_every = 8;
    config.log.samples = 0;
  }

  ScratchFolder scratch_;
  Listener listener_;
  fs::path base_;
};

}  // namespace malssi
