#include "models/gguf_names.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/family.h"

namespace malssi {
namespace {

constexpr const char* kFactors = "rope_freqs.weight";
constexpr const char* kShortFactors = "rope_factors_short.weight";
constexpr const char* kLongFactors = "rope_factors_long.weight";

// Typed access to "{architecture}.{key}".
class Reader {
 public:
  Reader(const GgufKeys& keys, std::string architecture, std::string_view where)
      : keys_(keys), architecture_(std::move(architecture)), where_(where) {}

  const GgufValue* find(std::string_view key) const { return keys_.find(full(key)); }
  int64_t integer(std::string_view key) const {
    const GgufValue* value = find(key);
    REQUIRE(value, where_, ": \"", full(key), "\" is missing");
    return integer_of(key, *value);
  }
  int64_t integer_or(std::string_view key, int64_t fallback) const {
    const GgufValue* value = find(key);
    return value ? integer_of(key, *value) : fallback;
  }
  double number_or(std::string_view key, double fallback) const {
    const GgufValue* value = find(key);
    if (!value) return fallback;
    const auto number = gguf_number(*value);
    REQUIRE(number && std::isfinite(*number), where_, ": \"", full(key), "\" is ",
            gguf_kind(*value), ", expected a number");
    return *number;
  }
  bool flag_or(std::string_view key, bool fallback) const {
    const GgufValue* value = find(key);
    if (!value) return fallback;
    const auto flag = gguf_bool(*value);
    REQUIRE(flag, where_, ": \"", full(key), "\" is ", gguf_kind(*value),
            ", expected true or false");
    return *flag;
  }
  std::string full(std::string_view key) const { return concat(architecture_, ".", key); }

 private:
  // A list of equal integers, one for each layer, counts as one.
  int64_t integer_of(std::string_view key, const GgufValue& value) const {
    if (const auto list = gguf_ints(value)) {
      REQUIRE(!list->empty() && std::all_of(list->begin(), list->end(),
                                            [&](int64_t v) { return v == list->front(); }),
              where_, ": \"", full(key), "\" differs from layer to layer, which is not read");
      return list->front();
    }
    const auto integer = gguf_int(value);
    REQUIRE(integer, where_, ": \"", full(key), "\" is ", gguf_kind(value),
            ", expected an integer");
    return *integer;
  }

  const GgufKeys& keys_;
  std::string architecture_;
  std::string_view where_;
};

// The family of a GGUF architecture; "llama" is that of Llama, Mistral and Mixtral.
const Family& family_of(const GgufKeys& keys, std::string_view where) {
  const GgufValue* value = keys.find("general.architecture");
  const std::string* name = value ? gguf_string(*value) : nullptr;
  REQUIRE(name, where, ": \"general.architecture\" is missing, or no text");
  const auto positive = [&](const char* key) {
    const GgufValue* number = keys.find(key);
    return number && gguf_int(*number).value_or(0) > 0;
  };
  if (*name == "llama" && positive("llama.expert_count")) return kMixtral;
  if (*name == "llama" && positive("llama.attention.sliding_window")) return kMistral;
  std::string known;
  for (const Family* family : families()) {
    if (family->gguf == *name) return *family;
    if (!family->gguf.empty() && known.find(family->gguf) == known.npos)
      known += concat(known.empty() ? "" : ", ", family->gguf);
  }
  throw Error(concat(where, ": unknown architecture \"", *name, "\"; known are ", known));
}

// Llama 3's usual scaling where the factors are its, so that config.json can say it too.
RopeScaling scaling_of_factors(const std::vector<double>& factors, double theta) {
  RopeScaling llama3{.kind = "llama3",
                     .factor = *std::max_element(factors.begin(), factors.end()),
                     .original_context = 8192};
  const std::vector<double> usual =
      llama3.divisors(2 * static_cast<int64_t>(factors.size()), theta);
  const bool same = std::equal(usual.begin(), usual.end(), factors.begin(), factors.end(),
                               [](double a, double b) { return std::abs(a - b) < 1e-4 * a; });
  if (same) return llama3;
  return {.kind = "factors", .factors = factors};
}

RopeScaling scaling_from(const Reader& r, const GgufKeys& keys, const ModelConfig& c) {
  if (const std::vector<double> factors = keys.numbers(kFactors); !factors.empty())
    return scaling_of_factors(factors, c.rope_theta);
  RopeScaling s;
  s.factors = keys.numbers(kShortFactors);
  s.long_factors = keys.numbers(kLongFactors);
  const GgufValue* kind = r.find("rope.scaling.type");
  if (kind && gguf_string(*kind)) s.kind = *gguf_string(*kind);
  if (s.kind == "none") s.kind.clear();
  if (!s.factors.empty()) s.kind = "longrope";
  if (s.kind.empty()) return {};
  s.original_context = r.integer_or("rope.scaling.original_context_length", c.context);
  s.factor = r.number_or("rope.scaling.factor", 1);
  if (s.kind == "longrope") {
    s.attention_factor = r.number_or("rope.scaling.attn_factor", 0);
    s.factor = static_cast<double>(c.context) /
               static_cast<double>(std::max<int64_t>(1, s.original_context));
  }
  s.beta_fast = r.number_or("rope.scaling.yarn_beta_fast", s.beta_fast);
  s.beta_slow = r.number_or("rope.scaling.yarn_beta_slow", s.beta_slow);
  if (s.kind == "linear") s.original_context = 0;
  return s;
}

// How often a layer sees everything, where keys do not say it.
int64_t usual_pattern(std::string_view family) {
  if (family == "gemma2") return 2;
  if (family == "gemma3_text") return 6;
  return family == "exaone4" ? 4 : 1;
}

std::vector<int64_t> windows_of(const Reader& r, const Family& family, int64_t layers) {
  const int64_t window = r.integer_or("attention.sliding_window", 0);
  // Files of Phi-3 name a window that the original model hardly uses; no one reads it.
  if (window <= 0 || layers < 1 || layers > 4096 || family.name == "phi3") return {};
  const GgufValue* pattern = r.find("attention.sliding_window_pattern");
  if (const auto* local = pattern ? std::get_if<std::vector<bool>>(pattern) : nullptr) {
    std::vector<int64_t> windows;
    for (const bool is_local : *local) windows.push_back(is_local ? window : 0);
    windows.resize(static_cast<size_t>(layers), 0);
    return windows;
  }
  return window_pattern(
      layers, window, r.integer_or("attention.sliding_window_pattern", usual_pattern(family.name)));
}

// Sizes that a file shows by its tensors rather than by a key.
void read_vocabulary(const Reader& r, const GgufKeys& keys, std::string_view where,
                     ModelConfig& c) {
  c.vocab = r.integer_or("vocab_size", 0);
  const GgufValue* tokens = keys.find("tokenizer.ggml.tokens");
  const auto* texts = tokens ? gguf_strings(*tokens) : nullptr;
  if (texts) c.vocab = static_cast<int64_t>(texts->size());
  REQUIRE(c.vocab > 0, where, ": has neither a list of tokens nor \"", r.full("vocab_size"), "\"");
  c.tied = !keys.has_tensor("output.weight");
  const auto id = [&](const char* key) {
    const GgufValue* value = keys.find(key);
    return value ? gguf_int(*value).value_or(-1) : -1;
  };
  c.bos_id = id("tokenizer.ggml.bos_token_id");
  c.eos_id = id("tokenizer.ggml.eos_token_id");
}

int64_t token_types_of(const GgufKeys& keys) {
  const GgufValue* count = keys.find("tokenizer.ggml.token_type_count");
  return count ? gguf_int(*count).value_or(2) : 2;
}

void read_experts(const Reader& r, ModelConfig& c) {
  c.experts = r.integer_or("expert_count", 0);
  if (c.experts == 0) return;
  c.experts_used = r.integer("expert_used_count");
  c.expert_hidden = r.integer_or("expert_feed_forward_length", 0);
  c.shared_hidden = r.integer_or("expert_shared_feed_forward_length", 0);
}

// As GGUF numbers them, from 0 on.
constexpr std::array<std::string_view, 5> kPoolings = {"", "mean", "cls", "last", "rank"};

std::string pooling_named(int64_t number) {
  const bool known = number >= 0 && number < static_cast<int64_t>(kPoolings.size());
  return std::string(known ? kPoolings[static_cast<size_t>(number)] : "");
}

}  // namespace

ModelConfig config_from_gguf(const GgufKeys& keys, std::string_view where) {
  const Family& family = family_of(keys, where);
  const Reader r(keys, std::string(family.gguf), where);
  ModelConfig c;
  c.family = family.name;
  c.context = r.integer("context_length");
  c.width = r.integer("embedding_length");
  c.layers = r.integer("block_count");
  c.hidden = r.integer_or("feed_forward_length", 0);
  c.heads = r.integer("attention.head_count");
  c.kv_heads = r.integer_or("attention.head_count_kv", c.heads);
  c.head_dim = r.integer_or("attention.key_length", 0);
  c.norm_eps = r.number_or("attention.layer_norm_rms_epsilon",
                           r.number_or("attention.layer_norm_epsilon", 1e-5));
  c.rope_theta = r.number_or("rope.freq_base", 10000);
  c.rope_theta_local = r.number_or("rope.freq_base_swa", 0);
  c.attention_scale = r.number_or("attention.scale", 0);
  c.attention_softcap = r.number_or("attn_logit_softcapping", 0);
  c.logit_softcap = r.number_or("final_logit_softcapping", 0);
  if (keys.has_tensor("token_types.weight")) c.token_types = token_types_of(keys);
  c.pooling = pooling_named(r.integer_or("pooling_type", 0));
  c.bias = keys.has_tensor("blk.0.attn_output.bias");
  c.windows = windows_of(r, family, c.layers);
  try {
    read_vocabulary(r, keys, where, c);
    read_experts(r, c);
    c.rope_scaling = scaling_from(r, keys, c);
    if (family.complete_gguf) family.complete_gguf(c);
    return checked(c);
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error(what.starts_with(where) ? what : concat(where, ": ", what));
  }
}

namespace {

using Put = std::function<void(std::string key, GgufValue value)>;

void put_windows_keys(const ModelConfig& c, const Put& put) {
  const auto widest = std::max_element(c.windows.begin(), c.windows.end());
  if (widest == c.windows.end() || *widest == 0) return;
  put("attention.sliding_window", *widest);
  std::vector<bool> local;
  for (const int64_t window : c.windows) local.push_back(window > 0);
  put("attention.sliding_window_pattern", local);
}

void put_rope_keys(const ModelConfig& c, const Put& put) {
  put("rope.dimension_count", c.head_dim);
  put("rope.freq_base", c.rope_theta);
  if (c.rope_theta_local > 0) put("rope.freq_base_swa", c.rope_theta_local);
  const RopeScaling& s = c.rope_scaling;
  if (s.kind.empty() || s.kind == "llama3" || s.kind == "factors") return;  // a tensor says it
  put("rope.scaling.type", s.kind);
  if (s.kind != "longrope") put("rope.scaling.factor", s.factor);
  if (s.original_context > 0) put("rope.scaling.original_context_length", s.original_context);
  if (s.kind == "longrope") put("rope.scaling.attn_factor", s.magnitude());
  if (s.kind == "yarn") {
    put("rope.scaling.yarn_beta_fast", s.beta_fast);
    put("rope.scaling.yarn_beta_slow", s.beta_slow);
  }
}

void put_expert_keys(const ModelConfig& c, const Put& put) {
  if (c.experts == 0) return;
  put("expert_count", c.experts);
  put("expert_used_count", c.experts_used);
  put("expert_feed_forward_length", c.expert_hidden);
  if (c.shared_hidden > 0) put("expert_shared_feed_forward_length", c.shared_hidden);
}

}  // namespace

void gguf_keys(const Model& model, const Put& put_whole) {
  const ModelConfig& c = model.config();
  const Family& family = family_named(c.family);
  const Design design = family.design(c);
  REQUIRE(!family.gguf.empty(), "GGUF has no architecture for models of the ", family.name,
          " family; keep this one as a Hugging Face folder");
  ModelConfig usual = c;
  usual.no_rope_interval = 0;
  usual.renormalised = true;
  if (family.complete_gguf) family.complete_gguf(usual);
  REQUIRE(usual.no_rope_interval == c.no_rope_interval, "GGUF cannot say that every ",
          c.no_rope_interval,
          "th layer has no rotary positions; keep this model as a Hugging Face folder");
  REQUIRE(c.experts == 0 || usual.renormalised == c.renormalised,
          "GGUF's readers take \"norm_topk_prob\" of ", family.name, " models for ",
          usual.renormalised ? "true" : "false", "; keep this model as a Hugging Face folder");
  put_whole("general.architecture", std::string(family.gguf));
  const Put put = [&](std::string key, GgufValue value) {
    put_whole(concat(family.gguf, ".", key), std::move(value));
  };
  put("vocab_size", c.vocab);
  put("context_length", c.context);
  put("embedding_length", c.width);
  put("block_count", c.layers);
  put("feed_forward_length", c.hidden);
  put("attention.head_count", c.heads);
  put("attention.head_count_kv", c.kv_heads);
  put(design.norm_kind == NormKind::rms ? "attention.layer_norm_rms_epsilon"
                                        : "attention.layer_norm_epsilon",
      c.norm_eps);
  if (design.mask == AttentionMask::whole) put("attention.causal", false);
  const auto* const pooling = std::find(kPoolings.begin(), kPoolings.end(), c.pooling);
  if (!c.pooling.empty() && pooling != kPoolings.end())
    put("pooling_type", static_cast<int64_t>(pooling - kPoolings.begin()));
  if (c.token_types > 0) put_whole("tokenizer.ggml.token_type_count", c.token_types);
  if (c.attention_scale > 0) put("attention.scale", c.attention_scale);
  if (c.attention_softcap > 0) put("attn_logit_softcapping", c.attention_softcap);
  if (c.logit_softcap > 0) put("final_logit_softcapping", c.logit_softcap);
  if (design.positions.empty()) {
    put("attention.key_length", c.head_dim);
    put("attention.value_length", c.head_dim);
    put_rope_keys(c, put);
  }
  put_windows_keys(c, put);
  put_expert_keys(c, put);
}

std::vector<NamedTensor> gguf_extra_tensors(const Model& model) {
  const ModelConfig& c = model.config();
  const RopeScaling& s = c.rope_scaling;
  const auto tensor = [](const char* name, const std::vector<double>& values) {
    const std::vector<float> narrow(values.begin(), values.end());
    return NamedTensor{name, Tensor::from(narrow, {static_cast<int64_t>(narrow.size())})};
  };
  if (s.kind == "longrope")
    return {tensor(kShortFactors, s.factors), tensor(kLongFactors, s.long_factors)};
  if (s.kind == "llama3" || s.kind == "factors")
    return {tensor(kFactors, s.divisors(c.head_dim, c.rope_theta))};
  return {};
}

}  // namespace malssi
