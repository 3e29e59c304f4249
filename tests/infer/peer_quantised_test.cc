// Quantised files beside llama.cpp (tests/models/peer_quantised.py writes golden_quantised.json): the same bytes from the same
// weights, and from the file the same 64 greedy tokens. Both programs round activations, each in its own way, so random models
// would be a coin's toss; these know what follows what, see with_table() in the script.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/hash.h"
#include "base/json.h"
#include "infer/model_predictor.h"
#include "io/gguf_model.h"
#include "io/quant_mix.h"
#include "models/peer_weights.h"
#include "scratch.h"

namespace malssi {
namespace {

constexpr int64_t kFirst = 259, kCount = 253, kStep = 100;  // tokens that follow one another
constexpr int32_t kEndOfText = 2;                           // llama.cpp was told to pass over it

const Json& golden() {
  static const Json json =
      load_json(std::string(MALSSI_SOURCE_DIR) + "/tests/models/golden_quantised.json");
  return json;
}
const Json& families() { return golden()["families"]; }

bool ends_with_any(std::string_view name, std::initializer_list<const char*> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](const char* e) { return name.ends_with(e); });
}

// The script's with_table(), weight by weight.
class Weights {
 public:
  Weights(const ModelConfig& config, std::map<std::string, Shape> shapes)
      : config_(config),
        shapes_(std::move(shapes)),
        is_gpt2_(config.family == "gpt2"),
        is_gemma_(config.family.starts_with("gemma")),
        added_(is_gemma_ ? 1 : 0),
        size_(is_gemma_ ? 4 : 16) {
    for (const auto& [name, shape] : shapes_)
      if (ends_with_any(name, {"embed_tokens.weight", "wte.weight"}))
        vectors_ = hashed(name, shape);
  }

  Tensor operator()(const std::string& name) const {
    Tensor w = hashed(name, shapes_.at(name));
    const bool is_norm = ends_with_any(name, {"model.norm.weight", "ln_f.weight", "ln_f.bias"});
    if (ends_with_any(name, {"embed_tokens.weight", "wte.weight"}))
      change(w, [&](float x) { return size_ * x; });
    else if (name == "lm_head.weight")
      return vectors_;
    else if (is_norm && (is_gemma_ || is_gpt2_))
      change(w, [&](float x) { return (x + added_) / size_ - added_; });
    else if (is_last(name))
      change_last(name, w);
    return w;
  }

 private:
  template <class Function>
  static void change(const Tensor& w, Function&& function) {
    std::transform(w.f32(), w.f32() + w.size(), w.f32(), function);
  }

  bool is_last(const std::string& name) const {
    const size_t digit = name.find_first_of("0123456789");
    return digit != name.npos && std::stoll(name.substr(digit)) == config_.layers - 1 &&
           name[digit - 1] == '.';
  }

  void change_last(const std::string& name, Tensor& w) const {
    const float row_size = is_gemma_ ? 0.25f : 0.5f;
    const float column_size = is_gpt2_    ? 16.0f
                              : is_gemma_ ? 3.0f
                                          : static_cast<float>(config_.layers) / 2;
    if (name.ends_with("post_feedforward_layernorm.weight")) {
      change(w, [&](float x) { return (x + added_) * 8 - added_; });
    } else if (name.ends_with("gate_up_proj.weight")) {
      put(w, 0, 0, row_size, Along::rows);
      put(w, w.dim(0) / 2, 0, row_size, Along::rows);
    } else if (ends_with_any(name, {"gate_proj.weight", "up_proj.weight", "w1.weight", "w3.weight",
                                    "c_fc_0.weight", "c_fc_1.weight", "mlp.c_fc.weight"})) {
      put(w, 0, 0, row_size, is_gpt2_ ? Along::columns : Along::rows);
    } else if (name.ends_with("c_fc.bias")) {
      std::fill_n(w.f32(), kCount, -2.0f);
    } else if (ends_with_any(name, {"down_proj.weight", "w2.weight", "mlp.c_proj.weight"})) {
      put(w, 0, kStep, column_size, is_gpt2_ ? Along::rows : Along::columns);
    }
  }

  // Unit k becomes the vector of the token k (or `step` on), times `size`.
  enum class Along { rows, columns };
  void put(const Tensor& w, int64_t first, int64_t step, float size, Along along) const {
    const int64_t D = vectors_.dim(1);
    for (int64_t k = 0; k < kCount; ++k) {
      const float* const vector = vectors_.f32() + (kFirst + (k + step) % kCount) * D;
      for (int64_t d = 0; d < D; ++d) {
        const int64_t at = along == Along::rows ? (first + k) * D + d : d * w.dim(1) + k;
        w.f32()[at] = vector[d] * size;
      }
    }
  }

  const ModelConfig& config_;
  std::map<std::string, Shape> shapes_;
  Tensor vectors_;  // of the tokens
  bool is_gpt2_, is_gemma_;
  float added_, size_;  // of norms' weights, of the embedding
};

// Every byte of the tensors times the hash of its place.
std::string checksum(const Gguf& file) {
  uint64_t total = 0;
  for (const GgufTensor& t : file.tensors()) {
    const Tensor tensor = file.borrow(t);
    const auto* const bytes = static_cast<const uint8_t*>(tensor.data());
    const uint64_t seed = name_seed(t.name);
    for (int64_t i = 0; i < tensor.bytes(); ++i)
      total += bytes[i] * mixed(static_cast<uint64_t>(i) + seed);
  }
  return hash_text(total);
}

struct Step {
  int32_t id;
  float lead;  // over the second
};

// The likeliest token after the prompt and after each of llama.cpp's.
std::vector<Step> choices(const fs::path& path, std::vector<int32_t> ids,
                          std::span<const int32_t> theirs) {
  const ModelSource source = open_model(path);
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  import_weights(*model, source.find, ImportMode::hold);
  ModelPredictor predictor(*model, 1, 256);
  std::vector<Step> steps;
  for (const int32_t next : theirs) {
    const Predictor::Piece piece{.slot = 0, .ids = ids};
    const std::span<const float> logits = predictor.feed({&piece, 1});
    std::vector<float> sorted(logits.begin(), logits.end());
    sorted[kEndOfText] = -INFINITY;
    const auto best = std::max_element(sorted.begin(), sorted.end()) - sorted.begin();
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
    steps.push_back({static_cast<int32_t>(best), sorted[0] - sorted[1]});
    ids = {next};
  }
  return steps;
}

// What became of the model in this type, beside what llama.cpp made of it. sure: the lead from which on the likeliest token is
// the same.
void expect_as_llama_cpp(const ModelSource& source, const std::string& type, const Json& prompt,
                         const Json& want, double sure) {
  SCOPED_TRACE(source.config.family + " " + type);
  const GgufPlan plan = plan_gguf(source);
  const QuantMix& mix = quant_mix(type);
  std::vector<GgufTarget> targets;
  for (const DType dtype : choose_dtypes(mix, plan, HasImportance::no)) targets.push_back({dtype});
  const ScratchFolder scratch;
  const fs::path path = scratch / "model.gguf";
  write_gguf(path, plan, targets, mix.file_type);
  EXPECT_EQ(checksum(Gguf(path)), want["checksum"].get<std::string>());
  const auto ids = want["ids"].get<std::vector<int32_t>>();
  const std::vector<Step> steps = choices(path, prompt.get<std::vector<int32_t>>(), ids);
  double squares = 0;
  size_t sure_steps = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto lead = want["leads"][i].get<double>();
    if (lead >= sure) {
      EXPECT_EQ(steps[i].id, ids[i]) << i;
      ++sure_steps;
    }
    squares += std::pow(steps[i].lead - lead, 2);
  }
  EXPECT_GT(sure_steps, ids.size() / 2);
  // Both programs' rounding, and at times another expert. A wrong format of one matrix shows in whole numbers.
  EXPECT_LT(std::sqrt(squares / static_cast<double>(ids.size())), 0.3);
}

class QuantisedPeer : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(All, QuantisedPeer, testing::Range(0, static_cast<int>(families().size())),
                         [](const auto& info) {
                           const Json& config =
                               families()[static_cast<size_t>(info.param)]["config"];
                           return config["model_type"].get<std::string>() + "_" +
                                  std::to_string(info.param);
                         });

TEST_P(QuantisedPeer, FilesAndGreedyTokensAreThoseOfLlamaCpp) {
  const Json& want = families()[static_cast<size_t>(GetParam())];
  ModelSource source;
  source.config = config_from_hf(want["config"], "config.json");
  std::map<std::string, Shape> shapes;
  for (const ModelPart& p : parts_of(*make_model(source.config, DType::f32, std::nullopt)))
    shapes[p.part.name] = p.published_shape();
  source.find = Weights(source.config, std::move(shapes));
  for (const auto& [type, file] : want["files"].items())
    expect_as_llama_cpp(source, type, want["prompt"], file, 0);
}

TEST(QuantisedStories, AreThoseOfLlamaCpp) {
  const fs::path path =
      fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "weights" / "stories260K.bin";
  if (!fs::exists(path))
    GTEST_SKIP() << "skipped: ../shared/data/weights/stories260K.bin is not here";
  const ModelSource source = open_model(path);
  for (const auto& [type, file] : golden()["stories"]["files"].items())
    expect_as_llama_cpp(source, type, golden()["stories"]["prompt"], file, 0.5);
}

}  // namespace
}  // namespace malssi
