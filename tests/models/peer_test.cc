// What llama.cpp answers for tiny models of every family (peer_agreement.py writes golden_peer.json): ours is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <span>

#include "base/json.h"
#include "models/model.h"

namespace malssi {
namespace {

constexpr int32_t kEndOfText = 2;  // llama.cpp was told to pass over it

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_peer.json");
  return json;
}

uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Evenly spread numbers, as the script draws them: unlike waves, they leave matrices of full rank.
Tensor hashed(const std::string& name, const Shape& shape) {
  uint64_t seed = 0;
  for (size_t j = 0; j < name.size(); ++j) seed += static_cast<unsigned char>(name[j]) * (j + 1);
  const bool around_one = name.find("norm") != std::string::npos ||
                          (name.find("ln_") != std::string::npos && name.ends_with(".weight"));
  const double size = shape.rank() > 1 ? 2.1 / std::sqrt(static_cast<double>(shape[-1])) : 0.3;
  Tensor t = Tensor::empty(shape);
  for (int64_t i = 0; i < t.size(); ++i) {
    const uint64_t bits = mixed(static_cast<uint64_t>(i) + (seed << 32)) >> 40;
    const double unit = static_cast<double>(bits) / 8388608 - 1;
    t.f32()[i] = static_cast<float>(around_one ? 1 + 0.3 * unit : unit * size);
  }
  return t;
}

std::unique_ptr<Model> model_of(const Json& config) {
  auto model = make_model(config_from_hf(config, "config.json"), DType::f32, 1);
  std::map<std::string, Shape> shapes;
  for (const NamedTensor& t : export_weights(*model)) shapes[t.name] = t.value.shape();
  import_weights(*model, [&](const std::string& name) { return hashed(name, shapes.at(name)); });
  return model;
}

// Row i follows token i.
std::vector<float> all_logits(Model& model, const std::vector<int32_t>& ids) {
  CausalBatch batch({0, static_cast<int32_t>(ids.size())});
  return model.logits(model.hidden(ids, batch)).to_vector();
}

double log_sum(std::span<const float> row) {
  double sum = 0;
  for (float x : row) sum += std::exp(static_cast<double>(x));
  return std::log(sum);
}

class Peer : public testing::TestWithParam<int> {
 protected:
  const Json& want() const { return golden()[static_cast<size_t>(GetParam())]; }
};
INSTANTIATE_TEST_SUITE_P(All, Peer, testing::Range(0, static_cast<int>(golden().size())),
                         [](const auto& info) {
                           const Json& config = golden()[static_cast<size_t>(info.param)]["config"];
                           return config["model_type"].get<std::string>() + "_" +
                                  std::to_string(info.param);
                         });

// llama.cpp's own answer is fed, so that each step is compared even after one that rounding decides.
TEST_P(Peer, GreedyTokensAndLogProbabilitiesAreThoseOfLlamaCpp) {
  const auto model = model_of(want()["config"]);
  // llama.cpp looks GELU up in a table of f16.
  const double tolerance = model->config().activation.starts_with("gelu") ? 5e-3 : 1e-3;
  const auto answer = want()["ids"].get<std::vector<int32_t>>();
  auto ids = want()["prompt"].get<std::vector<int32_t>>();
  const size_t last = ids.size() - 1, vocab = static_cast<size_t>(model->config().vocab);
  ids.insert(ids.end(), answer.begin(), answer.end());
  std::vector<float> logits = all_logits(*model, ids);

  const Json& shown = want()["shown"];
  const std::span<const float> row(&logits[(last + shown["step"].get<size_t>()) * vocab], vocab);
  const double total = log_sum(row);
  for (size_t i = 0; i < vocab; ++i)
    EXPECT_NEAR(row[i] - total, shown["logprobs"][i].get<double>(), tolerance) << i;
  ASSERT_EQ(answer.size(), 64u);
  for (size_t step = 0; step < answer.size(); ++step) {
    const std::span<float> choices(&logits[(last + step) * vocab], vocab);
    choices[kEndOfText] = -INFINITY;
    const auto best = std::max_element(choices.begin(), choices.end()) - choices.begin();
    std::nth_element(choices.begin(), choices.begin() + 1, choices.end(), std::greater<>());
    const double lead = choices[0] - choices[1];
    if (lead > 2 * tolerance) {
      EXPECT_EQ(best, answer[step]) << step;
    }
    // Of a byte inside a character llama.cpp tells the choice only.
    if (const Json& theirs = want()["leads"][step]; !theirs.is_null()) {
      EXPECT_NEAR(lead, theirs.get<double>(), 2 * tolerance) << step;
    }
  }
}

}  // namespace
}  // namespace malssi
