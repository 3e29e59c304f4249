#include "train/tune/lora.h"

#include "base/error.h"
#include "base/lock.h"
#include "io/peft_targets.h"
#include "train/run/run_folder.h"
#include "train/tune/chat_run.h"

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

// Quantised weights stay so; dense ones are converted to what the machine multiplies.
LoadedModel load_base(const LoraConfig& config) {
  const DType compute = compute_type(config.train);
  LoadedModel base = load_model(config.sft.model, compute, ImportMode::hold);
  if (has_quantised(*base.model)) return base;
  base = {};  // before the second, so that memory holds one
  return load_model(config.sft.model, compute);
}

// The base cannot get new tokens: their embeddings would have to be trained.
void check_tokens(const ChatTemplate& chat, const Tokenizer& tokenizer, const std::string& model) {
  for (const std::string& token : chat.special_tokens())
    REQUIRE(tokenizer.token_id(token), model, ": its tokenizer lacks \"", token,
            "\" of the chat template \"", chat.style(),
            "\", and an adapter brings no tokens: choose another (--chat-template alpaca) or tune "
            "all weights first (malssi tune sft)");
}

ChatTemplate chat_of(const LoraConfig& config, const LoadedModel& base) {
  if (config.sft.chat_template.empty() && base.chat) return *base.chat;
  const Tokenizer& tokenizer = *base.tokenizer;
  const std::string style = config.sft.chat_template.empty() ? "malssi" : config.sft.chat_template;
  const ChatTemplate chat =
      tokenizer.eos_id() < 0
          ? ChatTemplate::named(style)
          : ChatTemplate::named(style, tokenizer.token_bytes(tokenizer.eos_id()));
  check_tokens(chat, tokenizer, config.sft.model);
  return chat;
}

std::vector<Parameter> fresh_parameters(Model& model, const LoraConfig& config) {
  const LoraSettings& lora = config.lora;
  const PeftTargets targets(peft_targets(lora.targets), "lora.targets");
  const Adapter adapter = make_adapter(
      model, {.rank = lora.rank,
              .scale = static_cast<float>(lora.scale()),
              .is_target = [&](const std::string& matrix) { return targets.name(matrix); },
              .seed = static_cast<uint64_t>(config.train.seed)});
  freeze(model);
  return train_adapter(model, model.attach(adapter), static_cast<float>(lora.dropout));
}

RunResult tune(LoraConfig& config, const ConfigSchema& schema, const std::function<void()>& begin,
               Console& console) {
  const LoadedModel base = load_base(config);
  Model& model = *base.model;
  const ChatTemplate chat = chat_of(config, base);
  const PeftSettings settings{.base = config.sft.model,
                              .rank = config.lora.rank,
                              .alpha = config.lora.alpha,
                              .is_stabilised = config.lora.rslora,
                              .dropout = config.lora.dropout};
  return run_chats({.data = config.sft,
                    .train = config.train,
                    .optim = config.optim,
                    .log = config.log,
                    .schema = schema,
                    .model = model,
                    .tokenizer = *base.tokenizer,
                    .chat = chat,
                    .trained = trained_adapter(model, *base.tokenizer, chat,
                                               fresh_parameters(model, config), settings),
                    .summary = "An adapter that follows instructions"},
                   begin, console);
}

}  // namespace

RunResult run_lora(LoraConfig config, Console& console) {
  ConfigSchema schema(config);
  schema.check();
  const fs::path run = config.train.out;
  const FolderLock lock(run);
  check_no_run(run);
  settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  const auto begin = [&] { begin_run(run, "lora", schema.to_toml()); };
  return tune(config, schema, begin, console);
}

RunResult resume_lora(const fs::path& run, const std::vector<std::string>& settings,
                      Console& console) {
  LoraConfig config;
  ConfigSchema schema(config);
  reload_run(schema, config.train, run, settings);
  const auto begin = begin_again(schema, run, settings);
  return tune(config, schema, begin, console);
}

}  // namespace malssi
