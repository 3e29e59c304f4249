// What llama.cpp answers for tiny models of every family (peer_agreement.py writes golden_peer.json): ours is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <span>

#include "base/json.h"
#include "models/model.h"
#include "models/peer_weights.h"

namespace malssi {
namespace {

constexpr int32_t kEndOfText = 2;  // llama.cpp was told to pass over it

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_peer.json");
  return json;
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
  // Measured: 6e-6. llama.cpp was built without its table of GELU in f16, which alone makes 3e-3.
  const double tolerance = 2e-4;
  const auto answer = want()["ids"].get<std::vector<int32_t>>();
  auto ids = want()["prompt"].get<std::vector<int32_t>>();
  const size_t last = ids.size() - 1, vocab = static_cast<size_t>(model->config().vocab);
  ids.insert(ids.end(), answer.begin(), answer.end());
  std::vector<float> logits = all_logits(*model, ids);

  const Json& shown = want()["shown"];
  const std::span<const float> row(&logits[(last + shown["step"].get<size_t>()) * vocab], vocab);
  const double total = log_sum(row);
  for (size_t i = 0; i < shown["logprobs"].size(); ++i)
    EXPECT_NEAR(row[4 * i] - total, shown["logprobs"][i].get<double>(), tolerance) << 4 * i;
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
