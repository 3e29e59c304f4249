// The list of families, and what all of them share.
#include <algorithm>
#include <array>

#include "models/decoder.h"
#include "models/family.h"

namespace malssi {
namespace {

constexpr std::array kFamilies = {
    &kGpt2,     &kLlama,    &kMistral, &kMixtral, &kSmolLm3,    &kQwen2, &kQwen3,
    &kQwen2Moe, &kQwen3Moe, &kGemma,   &kGemma2,  &kGemma3,     &kPhi3,  &kOpt,
    &kExaone,   &kExaone4,  &kBert,    &kRoberta, &kDistilBert,
};

void check_positive(const char* name, int64_t value, int64_t most) {
  REQUIRE(value >= 1 && value <= most, "model: ", name, " is ", value, "; expected 1 to ", most);
}

void check_heads(ModelConfig& c) {
  check_positive("heads", c.heads, 65536);
  if (c.kv_heads == 0) c.kv_heads = c.heads;
  check_positive("kv_heads", c.kv_heads, c.heads);
  if (c.head_dim == 0) {
    REQUIRE(c.width % c.heads == 0, "model: ", c.heads, " heads do not divide the width ", c.width,
            "; use a width that is a multiple of ", c.heads, ", or set head_dim");
    c.head_dim = c.width / c.heads;
  }
  check_positive("head_dim", c.head_dim, 8192);
  REQUIRE(c.head_dim % 2 == 0, "model: the head width ", c.head_dim,
          " is odd; use an even one (width / heads)");
  REQUIRE(c.heads % c.kv_heads == 0, "model: ", c.kv_heads, " key/value heads do not divide the ",
          c.heads, " heads");
}

void check_experts(const ModelConfig& c, const Design& design) {
  if (design.router.empty()) return;
  check_positive("experts", c.experts, 4096);
  check_positive("experts_used", c.experts_used, c.experts);
  check_positive("expert_hidden", c.expert_hidden, int64_t{1} << 22);
  REQUIRE(c.shared_hidden >= 0 && c.shared_hidden <= int64_t{1} << 22, "model: shared_hidden is ",
          c.shared_hidden);
}

void check_windows(const ModelConfig& c) {
  REQUIRE(c.windows.empty() || static_cast<int64_t>(c.windows.size()) == c.layers,
          "model: ", c.windows.size(), " attention windows for ", c.layers, " layers");
  REQUIRE(std::all_of(c.windows.begin(), c.windows.end(), [](int64_t w) { return w >= 0; }),
          "model: an attention window is below 0");
}

}  // namespace

std::span<const Family* const> families() { return kFamilies; }

std::string known_families() {
  std::string names;
  for (const Family* family : kFamilies) names += concat(names.empty() ? "" : ", ", family->name);
  return names;
}

const Family& family_named(std::string_view name) {
  const auto* found = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [&](const Family* f) { return f->name == name; });
  REQUIRE(found != kFamilies.end(), "unknown architecture \"", name, "\"; known are ",
          known_families());
  return **found;
}

ModelConfig checked(ModelConfig c) {
  const Family& family = family_named(c.family);
  check_positive("vocab", c.vocab, int64_t{1} << 24);
  check_positive("width", c.width, int64_t{1} << 20);
  check_positive("layers", c.layers, 4096);
  check_positive("context", c.context, int64_t{1} << 24);
  check_heads(c);
  const bool plain = family.design(c).gate.empty() && family.design(c).gate_up.empty();
  REQUIRE(!plain || (c.kv_heads == c.heads && c.head_dim * c.heads == c.width), "model: ", c.family,
          " has as many key/value heads as heads, and heads * head_dim = width");
  if (c.hidden == 0) c.hidden = plain ? 4 * c.width : (8 * c.width / 3 + 31) / 32 * 32;
  check_positive("hidden", c.hidden, int64_t{1} << 22);
  REQUIRE(c.dropout >= 0 && c.dropout < 1, "model: dropout is ", c.dropout,
          "; expected 0 <= dropout < 1");
  REQUIRE(c.norm_eps > 0 && c.rope_theta > 0 && c.rope_theta_local >= 0,
          "model: norm_eps and rope_theta must be above 0");
  REQUIRE(c.attention_softcap >= 0 && c.logit_softcap >= 0 && c.attention_scale >= 0,
          "model: soft caps and the scale of scores must not be below 0");
  REQUIRE(c.no_rope_interval >= 0 && c.token_types >= 0,
          "model: no_rope_interval and token_types must not be below 0");
  c.rope_scaling.check(c.head_dim);
  check_windows(c);
  if (c.activation.empty()) c.activation = family.activation;
  check_experts(c, family.design(c));
  check_activation(c.family, family.design(c), c.activation);
  return c;
}

std::unique_ptr<Model> make_model(const ModelConfig& config, DType compute,
                                  std::optional<uint64_t> seed) {
  REQUIRE(compute == DType::f32 || compute == DType::bf16, "model: compute dtype ",
          dtype_name(compute), "; expected f32 or bf16");
  const ModelConfig full = checked(config);
  return make_decoder(full, family_named(full.family).design(full), compute, seed);
}

ModelConfig config_from_hf(const Json& json, std::string_view where) {
  auto type = get<std::string>(json, "model_type", where);
  // Gemma 3 with its eyes: only the language part is read.
  const bool sees = type == "gemma3" && json.contains("text_config");
  if (sees) type = "gemma3_text";
  try {
    const Family& family = family_named(type);
    ModelConfig config = family.from_hf(sees ? get<Json>(json, "text_config", where) : json, where);
    config.family = family.name;
    config.bos_id = -1;
    if (json.contains("bos_token_id") && json["bos_token_id"].is_number_integer())
      config.bos_id = json["bos_token_id"];
    if (json.contains("eos_token_id") && json["eos_token_id"].is_number_integer())
      config.eos_id = json["eos_token_id"];
    return checked(config);
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error(what.starts_with(where) ? what : concat(where, ": ", what));
  }
}

Json Model::hf_config() const {
  const Family& family = family_named(config_.family);
  Json json = {{"architectures", {family.architecture}}, {"model_type", family.name}};
  const Json keys = family.to_hf(config_);
  for (const auto& [key, value] : keys.items()) json[key] = value;
  json["torch_dtype"] = "float32";
  if (config_.bos_id >= 0) json["bos_token_id"] = config_.bos_id;
  if (config_.eos_id >= 0) json["eos_token_id"] = config_.eos_id;
  return json;
}

bool is_encoder(const ModelConfig& config) {
  return family_named(config.family).design(config).mask == AttentionMask::whole;
}

bool is_unused_weight(const ModelConfig& config, std::string_view published_name) {
  const Design design = family_named(config.family).design(config);
  return std::any_of(design.unused.begin(), design.unused.end(),
                     [&](const std::string& start) { return published_name.starts_with(start); });
}

}  // namespace malssi
