#include "io/inspect_parts.h"

#include "kernels/paged.h"

namespace malssi {

Json config_json(const ModelConfig& c) {
  return {{"family", c.family},     {"vocab", c.vocab},           {"width", c.width},
          {"layers", c.layers},     {"heads", c.heads},           {"kv_heads", c.kv_heads},
          {"head_dim", c.head_dim}, {"hidden", c.hidden},         {"context", c.context},
          {"norm_eps", c.norm_eps}, {"rope_theta", c.rope_theta}, {"tied", c.tied},
          {"bias", c.bias},         {"activation", c.activation}, {"dropout", c.dropout},
          {"bos_id", c.bos_id},     {"eos_id", c.eos_id}};
}

Json tokenizer_json(const Tokenizer& tokenizer) {
  Json special = Json::array();
  for (const AddedToken& token : tokenizer.added_tokens()) special.push_back(token.text);
  return {{"kind", tokenizer.kind()},
          {"tokens", tokenizer.vocab_size()},
          {"merges", tokenizer.merge_count()},
          {"pattern", tokenizer.pattern()},
          {"special", special},
          {"bos", tokenizer.bos_id()},
          {"eos", tokenizer.eos_id()},
          {"pad", tokenizer.pad_id()}};
}

Json cache_bytes_per_token(const ModelConfig& c) {
  Json json = Json::object();
  for (const DType dtype : kCacheDtypes) {
    const PagedLayer layer{.dtype = dtype, .kv_heads = c.kv_heads, .head_dim = c.head_dim};
    json[std::string(dtype_name(dtype))] = 2 * c.layers * layer.page_bytes() / kPageTokens;
  }
  return json;
}

}  // namespace malssi
