#include "ops/distillation_loss.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "ops/gradients.h"
#include "ops/loss.h"

namespace malssi {
namespace {

Tensor numbers(const Json& json, std::string_view key, Shape shape) {
  return Tensor::from(get<std::vector<float>>(json, key, "fixture"), shape);
}

Distillation from_teacher(const Tensor& logits, int64_t known, float temperature, float hard) {
  return {.teacher = [=](int64_t begin, int64_t end) { return logits.rows(begin, end); },
          .known = known,
          .temperature = temperature,
          .hard = hard};
}

void expect_near(const std::vector<float>& found, const Json& json, std::string_view key) {
  const auto expected = get<std::vector<double>>(json, key, "fixture");
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << key << " " << i;
}

TEST(DistillationLoss, EqualsPyTorchInDoublePrecision) {
  const Json all = load_json(fs::path(MALSSI_SOURCE_DIR) / "tests/ops/distillation_fixture.json");
  const Json shape = get<Json>(all, "shape", "fixture");
  const auto size = [&](std::string_view key) { return get<int64_t>(shape, key, "fixture"); };
  const int64_t N = size("tokens"), D = size("width"), V = size("vocab");
  const auto targets = get<std::vector<int32_t>>(all, "targets", "fixture");
  const auto weights = get<std::vector<float>>(all, "weights", "fixture");
  ASSERT_EQ(all["cases"].size(), 6u);
  for (const Json& each : all["cases"]) {
    const auto number = [&](std::string_view key) { return get<float>(each, key, "fixture"); };
    const Tensor h = numbers(each, "h", {N, D}).want_grad();
    const Tensor w = numbers(each, "w", {V, D}).want_grad();
    const Tensor teacher = numbers(each, "teacher", {N, size("teacher_vocab")});
    Tape tape;
    std::vector<float> losses;
    const Tensor loss = distillation_loss(
        h, w, targets, weights, get<float>(all, "scale", "fixture"),
        from_teacher(teacher, size("known"), number("temperature"), number("hard")), &losses,
        number("softcap"));
    tape.backward(loss);
    EXPECT_NEAR(loss.f32()[0], number("loss"), 1e-5 * (1 + std::abs(number("loss"))));
    expect_near(losses, each, "losses");
    expect_near(h.grad().to_vector(), each, "dh");
    expect_near(w.grad().to_vector(), each, "dw");
  }
}

TEST(DistillationLoss, OfAStudentThatEqualsItsTeacherIsNothing) {
  const Tensor h = noise({4, 6}, 1), w = noise({7, 6}, 2);
  Tensor logits = Tensor::empty({4, 7});
  for (int64_t n = 0; n < 4; ++n)
    for (int64_t v = 0; v < 7; ++v) {
      float sum = 0;
      for (int64_t d = 0; d < 6; ++d) sum += h.f32()[n * 6 + d] * w.f32()[v * 6 + d];
      logits.f32()[n * 7 + v] = sum;
    }
  const std::vector<int32_t> targets(4, 1);
  const std::vector<float> weights(4, 1);
  const Tensor same = distillation_loss(h, w, targets, weights, 1, from_teacher(logits, 7, 2, 0));
  EXPECT_NEAR(same.f32()[0], 0, 1e-5);
  const Tensor hard = distillation_loss(h, w, targets, weights, 1, from_teacher(logits, 7, 2, 1));
  EXPECT_NEAR(hard.f32()[0], lm_loss(h, w, targets, weights, 1).f32()[0], 1e-5);
}

TEST(DistillationLoss, RefusesWhatIsOutOfRange) {
  const Tensor h = noise({2, 3}, 1), w = noise({5, 3}, 2), logits = noise({2, 5}, 3);
  const std::vector<int32_t> targets = {0, 1};
  const std::vector<float> weights = {1, 1};
  const auto loss = [&](int64_t known, float temperature, float hard) {
    return distillation_loss(h, w, targets, weights, 1,
                             from_teacher(logits, known, temperature, hard));
  };
  EXPECT_THROW(loss(6, 1, 0), Error);
  EXPECT_THROW(loss(5, 0, 0), Error);
  EXPECT_THROW(loss(5, 1, 1.5f), Error);
}

}  // namespace
}  // namespace malssi
