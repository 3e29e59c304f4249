#include "train/tune/lora_student.h"

#include "base/error.h"
#include "io/peft_targets.h"
#include "models/pack_tables.h"
#include "models/value_head.h"
#include "tensor/pool.h"

namespace malssi {
namespace {

// The block format of a matrix that has one, other than `but`.
std::optional<DType> quantised_type(Model& model, std::optional<DType> but = {}) {
  std::optional<DType> found;
  model.visit([&](const Parameter& p) {
    if (p.held == nullptr) return;
    for (const Tensor& part : *p.held)
      if (is_block_format(part.dtype()) && part.dtype() != but) found = part.dtype();
  });
  return found;
}

LoadedModel load_packed(const fs::path& model, DType compute, const PackedTypes& packed) {
  LoadedModel base = load_packed_model(model, compute, *packed.matrices);
  const std::optional<DType> other = quantised_type(*base.model, packed.matrices);
  REQUIRE(!other, model.string(), ": its weights are ", dtype_name(*other),
          " already: leave out --base-type ", dtype_name(*packed.matrices));
  if (packed.tables) pack_tables(*base.model, *packed.tables);
  pool_trim();  // of what packing needed on its way
  return base;
}

LoadedModel load_base(const fs::path& model, const FrozenOptions& options) {
  if (options.packed.matrices) return load_packed(model, options.compute, options.packed);
  LoadedModel base = load_model(model, options.compute, ImportMode::hold);
  if (quantised_type(*base.model)) return base;
  base = {};  // before the second, so that memory holds one
  return load_model(model, options.compute);
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

Student load_frozen(const fs::path& model, const FrozenOptions& options) {
  LoadedModel base = load_base(model, options);
  ChatTemplate chat = chat_of(base, options.chat_template, model);
  return {.model = std::move(base.model),
          .tokenizer = std::move(base.tokenizer),
          .chat = std::move(chat)};
}

Adapter make_lora(Model& model, const LoraSettings& lora, uint64_t seed) {
  REQUIRE(!(lora.dora && lora.start() == LowRankStart::principal),
          "lora.dora and lora.init = pissa do not go together: DoRA's lengths are of the whole "
          "matrix, which PiSSA splits: leave out one of them");
  const PeftTargets targets(peft_targets(lora.targets), "lora.targets");
  return make_adapter(model,
                      {.rank = lora.rank,
                       .scale = static_cast<float>(lora.scale()),
                       .is_target = [&](const std::string& matrix) { return targets.name(matrix); },
                       .seed = seed,
                       .has_magnitudes = lora.dora,
                       .start = lora.start()});
}

Trained begin_lora(Student& student, const LoraSettings& lora, uint64_t seed,
                   const std::string& base) {
  Model& model = *student.model;
  BegunAdapter begun =
      begin_adapter(model, make_lora(model, lora, seed), lora.start(), lora.dropout);
  if (has_value_head(model)) begun.parameters.push_back(trained_value_head(model));
  return trained_adapter(model, *student.tokenizer, student.chat, begun, peft_settings(lora, base));
}

PeftSettings peft_settings(const LoraSettings& lora, const std::string& base) {
  return {.base = base,
          .rank = lora.rank,
          .alpha = lora.alpha,
          .is_stabilised = lora.rslora,
          .dropout = lora.dropout,
          .has_magnitudes = lora.dora};
}

}  // namespace malssi
