// Roles in transformers' tokenizer_config.json.
#include "base/error.h"
#include "text/tokenizer.h"

namespace malssi {

void apply_tokenizer_config(Tokenizer& tokenizer, const Json& config) {
  const auto id_of = [&](const char* key) {
    if (!config.is_object() || !config.contains(key)) return -1;
    const Json& value = config.at(key);
    const Json& text = value.is_object() && value.contains("content") ? value.at("content") : value;
    return text.is_string() ? tokenizer.token_id(text.get_ref<const std::string&>()).value_or(-1)
                            : -1;
  };
  if (const int32_t id = id_of("bos_token"); id >= 0) tokenizer.set_bos_id(id);
  if (const int32_t id = id_of("eos_token"); id >= 0) tokenizer.set_eos_id(id);
  if (const int32_t id = id_of("pad_token"); id >= 0) tokenizer.set_pad_id(id);
}

Json tokenizer_config(const Tokenizer& tokenizer, std::string_view chat_template, int64_t context) {
  Json config = Json::object();
  const auto put = [&](const char* key, int32_t id) {
    if (id >= 0) config[key] = std::string(tokenizer.token_bytes(id));
  };
  put("bos_token", tokenizer.bos_id());
  put("eos_token", tokenizer.eos_id());
  put("pad_token", tokenizer.pad_id());
  config["clean_up_tokenization_spaces"] = false;
  if (context > 0) config["model_max_length"] = context;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  if (!chat_template.empty()) config["chat_template"] = std::string(chat_template);
  return config;
}

}  // namespace malssi
