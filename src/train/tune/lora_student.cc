#include "train/tune/lora_student.h"

#include "base/error.h"
#include "io/peft_targets.h"
#include "models/value_head.h"

namespace malssi {
namespace {

bool has_quantised(Model& model) {
  bool found = false;
  model.visit([&](const Parameter& p) {
    if (p.held == nullptr) return;
    for (const Tensor& part : *p.held) found |= is_block_format(part.dtype());
  });
  return found;
}

LoadedModel load_base(const fs::path& model, DType compute) {
  LoadedModel base = load_model(model, compute, ImportMode::hold);
  if (has_quantised(*base.model)) return base;
  base = {};  // before the second, so that memory holds one
  return load_model(model, compute);
}

// The base cannot get new tokens: their embeddings would have to be trained.
void check_tokens(const ChatTemplate& chat, const Tokenizer& tokenizer, const fs::path& model) {
  for (const std::string& token : chat.special_tokens())
    REQUIRE(tokenizer.token_id(token), model.string(), ": its tokenizer lacks \"", token,
            "\" of the chat template \"", chat.style(),
            "\", and an adapter brings no tokens: choose another (--chat-template alpaca) or tune "
            "all weights first (malssi tune sft)");
}

ChatTemplate chat_of(const LoadedModel& base, const std::string& asked, const fs::path& model) {
  if (asked.empty() && base.chat) return *base.chat;
  const Tokenizer& tokenizer = *base.tokenizer;
  const std::string style = asked.empty() ? "malssi" : asked;
  const ChatTemplate chat =
      tokenizer.eos_id() < 0
          ? ChatTemplate::named(style)
          : ChatTemplate::named(style, tokenizer.token_bytes(tokenizer.eos_id()));
  check_tokens(chat, tokenizer, model);
  return chat;
}

}  // namespace

Student load_frozen(const fs::path& model, const std::string& chat_template, DType compute) {
  LoadedModel base = load_base(model, compute);
  ChatTemplate chat = chat_of(base, chat_template, model);
  return {.model = std::move(base.model),
          .tokenizer = std::move(base.tokenizer),
          .chat = std::move(chat)};
}

std::vector<Parameter> begin_adapter(Model& model, const LoraSettings& lora, uint64_t seed) {
  const PeftTargets targets(peft_targets(lora.targets), "lora.targets");
  const Adapter adapter = make_adapter(
      model, {.rank = lora.rank,
              .scale = static_cast<float>(lora.scale()),
              .is_target = [&](const std::string& matrix) { return targets.name(matrix); },
              .seed = seed});
  freeze(model);
  std::vector<Parameter> parameters =
      train_adapter(model, model.attach(adapter), static_cast<float>(lora.dropout));
  if (has_value_head(model)) parameters.push_back(trained_value_head(model));
  return parameters;
}

PeftSettings peft_settings(const LoraSettings& lora, const std::string& base) {
  return {.base = base,
          .rank = lora.rank,
          .alpha = lora.alpha,
          .is_stabilised = lora.rslora,
          .dropout = lora.dropout};
}

}  // namespace malssi
