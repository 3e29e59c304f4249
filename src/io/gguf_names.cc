#include "io/gguf_names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

using Names = std::pair<std::string_view, std::string_view>;  // published, GGUF

constexpr std::array kLlamaNames = {
    Names{"model.embed_tokens", "token_embd"},
    Names{"model.norm", "output_norm"},
    Names{"lm_head", "output"},
    Names{"input_layernorm", "attn_norm"},
    Names{"self_attn.q_proj", "attn_q"},
    Names{"self_attn.k_proj", "attn_k"},
    Names{"self_attn.v_proj", "attn_v"},
    Names{"self_attn.o_proj", "attn_output"},
    Names{"post_attention_layernorm", "ffn_norm"},
    Names{"mlp.gate_proj", "ffn_gate"},
    Names{"mlp.up_proj", "ffn_up"},
    Names{"mlp.down_proj", "ffn_down"},
};
constexpr std::array kGpt2Names = {
    Names{"transformer.wte", "token_embd"},
    Names{"transformer.wpe", "position_embd"},
    Names{"transformer.ln_f", "output_norm"},
    Names{"lm_head", "output"},
    Names{"ln_1", "attn_norm"},
    Names{"attn.c_attn", "attn_qkv"},
    Names{"attn.c_proj", "attn_output"},
    Names{"ln_2", "ffn_norm"},
    Names{"mlp.c_fc", "ffn_up"},
    Names{"mlp.c_proj", "ffn_down"},
};

std::string_view renamed(const ModelConfig& config, std::string_view published) {
  const auto find = [&](const auto& names) -> std::string_view {
    for (const auto& [from, to] : names)
      if (from == published) return to;
    throw Error(concat("the weight \"", published, "\" of a ", config.family,
                       " model has no place in a GGUF file"));
  };
  return config.family == "gpt2" ? find(kGpt2Names) : find(kLlamaNames);
}

int64_t need_int(const Gguf& file, const std::string& key) {
  const auto value = file.find_int(key);
  REQUIRE(value, file.where(), ": key \"", key, "\" is missing");
  return *value;
}

double number_or(const Gguf& file, const std::string& key, double fallback) {
  const GgufValue* value = file.find(key);
  if (!value) return fallback;
  const auto number = gguf_number(*value);
  REQUIRE(number, file.where(), ": key \"", key, "\" is ", gguf_kind(*value),
          ", expected a number");
  return *number;
}

void read_llama(const Gguf& file, ModelConfig& c) {
  c.kv_heads = file.find_int("llama.attention.head_count_kv").value_or(c.heads);
  c.head_dim = file.find_int("llama.attention.key_length").value_or(0);
  c.norm_eps = number_or(file, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  c.rope_theta = number_or(file, "llama.rope.freq_base", 10000);
  c.bias = file.find_tensor("blk.0.attn_q.bias") != nullptr;
  const std::string scaling = file.find_string("llama.rope.scaling.type").value_or("none");
  REQUIRE(scaling == "none" && !file.find_tensor("rope_freqs.weight"), file.where(),
          ": rotary positions are scaled (", scaling,
          "); this program reads Llama models without that");
  REQUIRE(file.find_int("llama.expert_count").value_or(0) == 0, file.where(),
          ": a mixture of experts; this program reads Llama models without them");
}

void read_gpt2(const Gguf& file, ModelConfig& c) {
  c.norm_eps = number_or(file, "gpt2.attention.layer_norm_epsilon", 1e-5);
  c.bias = file.find_tensor("blk.0.attn_qkv.bias") != nullptr;
}

}  // namespace

ModelConfig config_from_gguf(const Gguf& file) {
  const auto family = file.find_string("general.architecture");
  REQUIRE(family, file.where(), ": key \"general.architecture\" is missing");
  REQUIRE(family == "llama" || family == "gpt2", file.where(), ": unknown architecture \"", *family,
          "\"; known are gpt2, llama");
  const GgufTensor* embedding = file.find_tensor("token_embd.weight");
  REQUIRE(embedding && embedding->shape.rank() == 2, file.where(),
          ": there is no table \"token_embd.weight\": not a whole model");
  const std::string prefix = *family + ".";
  ModelConfig c;
  c.family = *family;
  c.vocab = embedding->shape[0];
  c.width = need_int(file, prefix + "embedding_length");
  c.layers = need_int(file, prefix + "block_count");
  c.heads = need_int(file, prefix + "attention.head_count");
  c.hidden = need_int(file, prefix + "feed_forward_length");
  c.context = need_int(file, prefix + "context_length");
  c.tied = file.find_tensor("output.weight") == nullptr;
  c.bos_id = file.find_int("tokenizer.ggml.bos_token_id").value_or(-1);
  c.eos_id = file.find_int("tokenizer.ggml.eos_token_id").value_or(-1);
  c.family == "llama" ? read_llama(file, c) : read_gpt2(file, c);
  try {
    return checked(c);
  } catch (const Error& error) {
    throw Error(concat(file.where(), ": ", error.what()));
  }
}

void put_config(const ModelConfig& c, GgufWriter& writer) {
  const std::string prefix = c.family + ".";
  writer.put("general.architecture", c.family);
  writer.put(prefix + "context_length", c.context);
  writer.put(prefix + "embedding_length", c.width);
  writer.put(prefix + "block_count", c.layers);
  writer.put(prefix + "feed_forward_length", c.hidden);
  writer.put(prefix + "attention.head_count", c.heads);
  if (c.family == "gpt2") {
    writer.put("gpt2.attention.layer_norm_epsilon", c.norm_eps);
    return;
  }
  CHECK(c.family == "llama", "no GGUF keys of ", c.family);
  writer.put("llama.attention.head_count_kv", c.kv_heads);
  writer.put("llama.attention.layer_norm_rms_epsilon", c.norm_eps);
  writer.put("llama.rope.freq_base", c.rope_theta);
  writer.put("llama.rope.dimension_count", c.head_dim);
  writer.put("llama.attention.key_length", c.head_dim);
  writer.put("llama.attention.value_length", c.head_dim);
  writer.put("llama.vocab_size", c.vocab);
}

GgufPlace gguf_place(const ModelConfig& config, std::string_view published) {
  const size_t dot = published.rfind('.');
  CHECK(dot != published.npos, "a weight named ", published);
  std::string_view stem = published.substr(0, dot);
  const std::string ending(published.substr(dot));
  std::string layer;
  for (const std::string_view prefix : {"model.layers.", "transformer.h."}) {
    if (!stem.starts_with(prefix)) continue;
    stem.remove_prefix(prefix.size());
    layer = concat("blk.", stem.substr(0, stem.find('.')), ".");
    stem.remove_prefix(std::min(stem.find('.'), stem.size() - 1) + 1);
  }
  const bool is_q = stem == "self_attn.q_proj", is_k = stem == "self_attn.k_proj";
  return {.name = layer + std::string(renamed(config, stem)) + ending,
          .paired_heads = is_q   ? config.heads
                          : is_k ? config.kv_heads
                                 : 0};
}

}  // namespace malssi
