#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "ops/loss.h"
#include "optim/muon.h"
#include "tensor/tape.h"

namespace malssi {
namespace {

ModelConfig tiny() {
  ModelConfig c;
  c.family = "llama";
  c.vocab = 11;
  c.width = 16;
  c.layers = 2;
  c.heads = 2;
  c.hidden = 32;
  c.context = 16;
  return c;
}

// One step's loss on a fixed batch, with gradients.
double backward(Model& model) {
  std::vector<int32_t> ids, targets;
  for (int32_t i = 0; i < 16; ++i) ids.push_back(i % 11), targets.push_back((i + 1) % 11);
  const std::vector<float> weights(16, 1);
  CausalBatch batch({0, 16});
  Tape tape;
  const Tensor loss = lm_loss(model.hidden(ids, batch), model.head(), targets, weights, 1.0f / 16);
  tape.backward(loss);
  return loss.f32()[0];
}

double train(Model& model, Optimizer& optimizer, int steps, double lr) {
  double loss = 0;
  for (int i = 0; i < steps; ++i) {
    optimizer.clear_gradients();
    loss = backward(model);
    optimizer.clip(1.0);
    optimizer.step(lr);
  }
  return loss;
}

TEST(Optimizer, LearnsASequenceByHeart) {
  for (const char* name : {"adamw", "muon"}) {
    for (DType dtype : {DType::f32, DType::bf16}) {
      const auto model = make_model(tiny(), dtype, 1);
      const auto optimizer =
          make_optimizer(*model, {.name = name, .weight_decay = 0, .muon_ratio = 3});
      EXPECT_LT(train(*model, *optimizer, 60, 1e-2), 0.1) << name << dtype_name(dtype);
    }
  }
}

TEST(Optimizer, LearnsWithMomentsInBf16) {
  const auto model = make_model(tiny(), DType::bf16, 1);
  const auto optimizer = make_optimizer(*model, {.weight_decay = 0, .bf16_moments = true});
  EXPECT_LT(train(*model, *optimizer, 60, 1e-2), 0.1);
}

TEST(Optimizer, ClippingScalesTheGradientsToTheNorm) {
  const auto model = make_model(tiny(), DType::f32, 1);
  const auto optimizer = make_optimizer(*model, {});
  backward(*model);
  double squares = 0;
  model->visit([&](const Parameter& p) {
    for (float g : p.value->grad().to_vector()) squares += static_cast<double>(g) * g;
  });
  EXPECT_NEAR(optimizer->clip(0.01), std::sqrt(squares), 1e-5);
}

TEST(Optimizer, GoesOnFromItsSavedStateToTheBit) {
  for (const OptimizerOptions& options :
       {OptimizerOptions{}, {.name = "muon"}, {.bf16_moments = true}}) {
    const auto straight = make_model(tiny(), DType::bf16, 1),
               broken = make_model(tiny(), DType::bf16, 1);
    const auto whole = make_optimizer(*straight, options), half = make_optimizer(*broken, options);
    train(*straight, *whole, 8, 1e-3);
    train(*broken, *half, 5, 1e-3);
    std::vector<LazyTensor> saved;
    for (const LazyTensor& t : half->state()) saved.push_back(lazily(t.name, t.load().clone()));
    const auto resumed = make_model(tiny(), DType::bf16, 99);
    const auto other = make_optimizer(*resumed, options);
    other->restore(saved);
    // Weights without a master copy (norms) are the model's own.
    std::vector<Tensor*> from, to;
    broken->visit([&](const Parameter& p) { from.push_back(p.value); });
    resumed->visit([&](const Parameter& p) { to.push_back(p.value); });
    for (size_t i = 0; i < from.size(); ++i) to[i]->copy_from(*from[i]);
    train(*resumed, *other, 3, 1e-3);
    std::vector<std::vector<float>> a, b;
    straight->visit([&](const Parameter& p) { a.push_back(p.value->to_vector()); });
    resumed->visit([&](const Parameter& p) { b.push_back(p.value->to_vector()); });
    EXPECT_EQ(a, b) << options.name;
  }
}

TEST(Optimizer, RefusesAnotherModelsState) {
  const auto model = make_model(tiny(), DType::f32, 1);
  const auto optimizer = make_optimizer(*model, {});
  EXPECT_THROW(optimizer->restore({}), Error);
  EXPECT_THROW(make_optimizer(*model, {.name = "sgd"}), Error);
}

TEST(Muon, MakesSingularValuesAboutOne) {
  for (const Shape& shape : {Shape{24, 48}, Shape{48, 24}}) {
    Rng rng(3);
    Tensor x = Tensor::empty(shape);
    for (int64_t i = 0; i < x.size(); ++i) x.f32()[i] = static_cast<float>(rng.normal());
    const Tensor y = orthogonalized(x);
    double trace = 0;  // the sum of squared singular values
    for (float v : y.to_vector()) trace += static_cast<double>(v) * v;
    EXPECT_GT(trace / 24, 0.5);
    EXPECT_LT(trace / 24, 1.5);
  }
}

}  // namespace
}  // namespace malssi
