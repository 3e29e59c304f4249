#include "models/model.h"

#include <algorithm>
#include <array>

#include "kernels/gemm.h"
#include "models/gpt2.h"
#include "models/llama.h"
#include "ops/linear.h"

namespace malssi {
namespace {

struct Family {
  std::string_view name;          // of ModelConfig::family and of config.json's model_type
  std::string_view architecture;  // of config.json
  std::unique_ptr<Model> (*make)(const ModelConfig&, DType, std::optional<uint64_t>);
  ModelConfig (*from_hf)(const Json&, std::string_view);
  std::string_view activation;
};

constexpr std::array kFamilies = {
    Family{"gpt2", "GPT2LMHeadModel", make_gpt2, gpt2_config, "gelu_new"},
    Family{"llama", "LlamaForCausalLM", make_llama, llama_config, "silu"},
};

std::string known_families() {
  std::string names;
  for (const Family& family : kFamilies) names += concat(names.empty() ? "" : ", ", family.name);
  return names;
}

const Family& family_of(const ModelConfig& config) {
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const Family& f) { return f.name == config.family; });
  REQUIRE(found != kFamilies.end(), "model: unknown family \"", config.family, "\"; known are ",
          known_families());
  return *found;
}

void check_activation(const ModelConfig& c) {
  const bool known = c.family == "gpt2" ? c.activation == "gelu_new" || c.activation == "gelu" ||
                                              c.activation == "gelu_pytorch_tanh"
                                        : c.activation == "silu";
  REQUIRE(known, "model: ", c.family, " with the activation \"", c.activation, "\"; known are ",
          c.family == "gpt2" ? "gelu_new, gelu" : "silu");
}

}  // namespace

ModelConfig checked(ModelConfig c) {
  const Family& family = family_of(c);
  const auto positive = [](const char* name, int64_t value, int64_t most) {
    REQUIRE(value >= 1 && value <= most, "model: ", name, " is ", value, "; expected 1 to ", most);
  };
  positive("vocab", c.vocab, int64_t{1} << 24);
  positive("width", c.width, int64_t{1} << 20);
  positive("layers", c.layers, 4096);
  positive("heads", c.heads, 65536);
  positive("context", c.context, int64_t{1} << 24);
  if (c.kv_heads == 0) c.kv_heads = c.heads;
  positive("kv_heads", c.kv_heads, c.heads);
  if (c.head_dim == 0) {
    REQUIRE(c.width % c.heads == 0, "model: ", c.heads, " heads do not divide the width ", c.width,
            "; use a width that is a multiple of ", c.heads, ", or set head_dim");
    c.head_dim = c.width / c.heads;
  }
  positive("head_dim", c.head_dim, 8192);
  REQUIRE(c.head_dim % 2 == 0, "model: the head width ", c.head_dim,
          " is odd; use an even one (width / heads)");
  REQUIRE(c.heads % c.kv_heads == 0, "model: ", c.kv_heads, " key/value heads do not divide the ",
          c.heads, " heads");
  REQUIRE(c.family != "gpt2" || (c.kv_heads == c.heads && c.head_dim * c.heads == c.width),
          "model: gpt2 has as many key/value heads as heads, and heads * head_dim = width");
  if (c.hidden == 0) c.hidden = c.family == "gpt2" ? 4 * c.width : (8 * c.width / 3 + 31) / 32 * 32;
  positive("hidden", c.hidden, int64_t{1} << 22);
  REQUIRE(c.dropout >= 0 && c.dropout < 1, "model: dropout is ", c.dropout,
          "; expected 0 <= dropout < 1");
  REQUIRE(c.norm_eps > 0 && c.rope_theta > 0, "model: norm_eps and rope_theta must be above 0");
  if (c.activation.empty()) c.activation = family.activation;
  check_activation(c);
  return c;
}

std::unique_ptr<Model> make_model(const ModelConfig& config, DType compute,
                                  std::optional<uint64_t> seed) {
  REQUIRE(compute == DType::f32 || compute == DType::bf16, "model: compute dtype ",
          dtype_name(compute), "; expected f32 or bf16");
  const ModelConfig full = checked(config);
  return family_of(full).make(full, compute, seed);
}

ModelConfig config_from_hf(const Json& json, std::string_view where) {
  const auto type = get<std::string>(json, "model_type", where);
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const Family& f) { return f.name == type; });
  REQUIRE(found != kFamilies.end(), where, ": unknown architecture \"", type, "\"; known are ",
          known_families());
  ModelConfig config = found->from_hf(json, where);
  if (json.contains("bos_token_id") && json["bos_token_id"].is_number_integer())
    config.bos_id = json["bos_token_id"];
  if (json.contains("eos_token_id") && json["eos_token_id"].is_number_integer())
    config.eos_id = json["eos_token_id"];
  try {
    return checked(config);
  } catch (const Error& error) {
    throw Error(concat(where, ": ", error.what()));
  }
}

DType best_compute_dtype() { return has_native_bf16() ? DType::bf16 : DType::f32; }

Tensor Model::logits(const Tensor& hidden) const {
  return linear(hidden, head(), {.bias = {}, .out = DType::f32});
}

int64_t Model::parameter_count() {
  int64_t count = 0;
  visit([&](const Parameter& p) { count += p.value->size(); });
  return count;
}

double Model::training_flops_per_token(int64_t sequence) {
  double weights = config_.tied ? static_cast<double>(config_.vocab * config_.width)
                                : 0;  // the embedding, as output layer
  visit([&](const Parameter& p) {
    if (p.kind == ParameterKind::matrix || p.name == "head.weight")
      weights += static_cast<double>(p.value->size());
  });
  const auto attention =
      static_cast<double>(config_.layers * config_.heads * config_.head_dim * sequence);
  return 6 * weights + 6 * attention;
}

}  // namespace malssi
