// Every family that writes, token by token through the cache: what it computes on the whole text at once.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "infer/kv_cache.h"
#include "models/weight_formula.h"

namespace malssi {
namespace {

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_families.json");
  return json;
}

class CachedFamilies : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(All, CachedFamilies, testing::Range(0, 20), [](const auto& info) {
  const Json& config = golden()[static_cast<size_t>(info.param)]["config"];
  return config["model_type"].get<std::string>() + "_" + std::to_string(info.param);
});

TEST_P(CachedFamilies, SayTokenByTokenWhatTheySayAtOnce) {
  const Json& config = golden()[static_cast<size_t>(GetParam())]["config"];
  const auto model = make_model(config_from_hf(config, "config.json"), DType::f32, 1);
  fill_by_formula(*model);
  const std::vector<int32_t> ids{3, 1, 4, 1, 5, 9, 2, 6};
  KvCache cache(model->config(), 1, 12, DType::f32);
  const auto step = [&](size_t begin, size_t end) {
    CachedContext context(cache, {{0, static_cast<int64_t>(end - begin)}});
    return model->logits(model->hidden(std::span(ids).subspan(begin, end - begin), context));
  };
  if (is_encoder(model->config())) {
    EXPECT_THROW(step(0, 3), Error);
    return;
  }
  // LongRoPE turns keys by other angles once the text outgrows the original context; those of earlier tokens stay as they were.
  if (model->config().rope_scaling.original_context == 3) GTEST_SKIP() << "its cached keys differ";
  CausalBatch batch({0, 8});
  const std::vector<float> whole = model->logits(model->hidden(ids, batch)).to_vector();
  std::vector<float> pieces = step(0, 3).to_vector();
  for (size_t i = 3; i < ids.size(); ++i)
    for (const float x : step(i, i + 1).to_vector()) pieces.push_back(x);
  ASSERT_EQ(pieces.size(), whole.size());
  for (size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(pieces[i], whole[i], 1e-4) << i;
}

}  // namespace
}  // namespace malssi
