// Keeping the blocks' inputs alone changes no gradient by a bit.
#include <gtest/gtest.h>

#include "kernels/gemm.h"
#include "models/adapter.h"
#include "models/model.h"
#include "models/value_head.h"
#include "ops/loss.h"
#include "tensor/pool.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

constexpr int64_t kVocab = 40, kTokens = 24;

struct Case {
  std::string name;
  ModelConfig config;
  DType dtype = DType::f32;
  enum { weights, adapter, late_adapter } trained = weights;
};

ModelConfig small(const std::string& family, double dropout) {
  ModelConfig c;
  c.family = family;
  c.vocab = kVocab;
  c.width = 32;
  c.layers = 3;
  c.context = 16;
  c.dropout = dropout;
  return c;
}

std::vector<Case> cases() {
  ModelConfig mixture = small("mixtral", 0);
  mixture.experts = mixture.experts_used = 2;
  mixture.expert_hidden = 48;
  std::vector<Case> all = {{"gpt2", small("gpt2", 0.2)},
                           {"llama", small("llama", 0.1)},
                           {"mixtral", mixture},
                           {"adapter", small("llama", 0.1), DType::f32, Case::adapter},
                           {"late_adapter", small("llama", 0), DType::f32, Case::late_adapter}};
  if (has_native_bf16()) all.push_back({"bf16", small("llama", 0.1), DType::bf16});
  return all;
}

// The loss and all gradients of a batch of two sequences.
std::vector<float> pass(const Case& c, KeepForBackward kept) {
  const auto model = make_model(c.config, c.dtype, 5);
  std::vector<Parameter> trained = parameters_of(*model);
  if (c.trained != Case::weights) {
    const Adapter adapter = make_adapter(
        *model, {.rank = 4, .scale = 2, .is_target = [&](const std::string& matrix) {
                   return c.trained == Case::adapter || matrix.find("layers.1.mlp") != matrix.npos;
                 }});
    freeze(*model);
    trained = train_adapter(*model, model->attach(adapter), 0.25f);
    for (const Parameter& p : trained)
      if (p.name.ends_with("lora_B")) p.value->copy_from(Tensor::full(p.value->shape(), 0.05f));
  }
  model->keep(kept);
  std::vector<int32_t> ids, targets;
  for (int32_t i = 0; i < kTokens; ++i) {
    ids.push_back(i * 7 % kVocab);
    targets.push_back(i * 11 % kVocab);
  }
  const std::vector<float> weights(kTokens, 1);
  Tape tape;
  Tensor loss;
  {  // the context may be gone before the backward pass
    CausalBatch context({0, 10, kTokens}, 77);
    AdapterRows rows(kTokens, c.trained == Case::weights ? AdapterMix{} : AdapterMix{{0, 1}});
    rows.set_dropout_seed(99);
    context.set_adapters(rows);
    loss = lm_loss(model->hidden(ids, context), model->head(), targets, weights, 0.1f);
  }
  tape.backward(loss);
  std::vector<float> numbers = {loss.f32()[0]};
  for (const Parameter& p : trained) {
    const Tensor gradient = p.value->grad();
    EXPECT_TRUE(gradient.defined()) << p.name;
    if (!gradient.defined()) continue;
    const std::vector<float> part = gradient.to_vector();
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  return numbers;
}

TEST(Recompute, LossAndGradientsAreTheSameToTheBit) {
  for (const Case& c : cases()) {
    const auto want = pass(c, KeepForBackward::everything);
    EXPECT_EQ(want, pass(c, KeepForBackward::block_inputs)) << c.name;
    EXPECT_GT(want.size(), 100u);
  }
}

TEST(Recompute, KeepsLittleOfManyBlocks) {
  ModelConfig c = small("llama", 0);
  c.layers = 12;
  c.context = 512;
  const auto model = make_model(c, DType::f32, 1);
  const std::vector<int32_t> ids(512, 3);
  const auto held = [&](KeepForBackward kept) {
    model->keep(kept);
    const int64_t before = pool_use().in_use;
    const Tape tape;
    CausalBatch context({0, 512});
    const Tensor hidden = model->hidden(ids, context);
    return pool_use().in_use - before;
  };
  EXPECT_LT(5 * held(KeepForBackward::block_inputs), held(KeepForBackward::everything));
}

TEST(Recompute, AModelWithAValueHeadKeepsBlockInputsToo) {
  const auto model = with_value_head(make_model(small("llama", 0), DType::f32, 1));
  const auto nodes = [&](KeepForBackward kept) {
    model->keep(kept);
    const Tape tape;
    CausalBatch context({0, 3});
    model->hidden(std::vector<int32_t>{1, 2, 3}, context);
    return tape.size();
  };
  EXPECT_LT(2 * nodes(KeepForBackward::block_inputs), nodes(KeepForBackward::everything));
}

}  // namespace
}  // namespace malssi
