#include "cli/generation_flags.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "cli/cache_flag.h"
#include "infer/generate.h"
#include "infer/generation_defaults.h"

namespace malssi {

const std::vector<std::string> kComputeDtypes = {"auto", "f32", "bf16"};

std::optional<DType> compute_dtype(const std::string& name) {
  if (name == "f32") return DType::f32;
  if (name == "bf16") return DType::bf16;
  return std::nullopt;
}

namespace {

ChatTokens tokens_of(const Tokenizer& tokenizer) {
  const auto text = [&](int32_t id) {
    return id < 0 ? std::string() : std::string(tokenizer.token_bytes(id));
  };
  return {.bos = text(tokenizer.bos_id()), .eos = text(tokenizer.eos_id())};
}

}  // namespace

void GenerationFlags::add_to(CLI::App& command) {
  command
      .add_option(
          "--model", model_,
          "Hugging Face folder, run folder, GGUF file, or openai:NAME, anthropic:NAME, gemini:NAME "
          "(key and base URL from OPENAI_API_KEY, OPENAI_BASE_URL, ...)")
      ->required()
      ->type_name("MODEL");
  command.add_option("--dtype", dtype_, "precision: f32, bf16, or auto: as the file has it")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  lora_.add_to(command);
  command
      .add_option("--template", template_,
                  "chat template in place of the model's own: " +
                      CLI::detail::join(ChatTemplate::styles(), ", ") + ", or a .jinja file")
      ->type_name("NAME");
  command
      .add_option("--context", context_,
                  "tokens that prompt and answer may have together (default: the model's context)")
      ->check(CLI::PositiveNumber);
  add_cache_flag(command, cache_type_,
                 "keep keys and values in a type of their own (default: as exact as the weights)");
  const std::string group = "Choosing tokens (defaults: the model's generation_config.json)";
  command.add_option("--max-tokens", max_tokens_, "longest answer, in tokens")->group(group);
  sampling_.add_to(command);
  command
      .add_option("--stop", stop_, "end the answer before this text; may be given several times")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
}

LoadedModel GenerationFlags::load() const {
  LoadedModel loaded = load_model(model_, compute_dtype(dtype_));
  loaded.adapters = lora_.attach(*loaded.model);
  lora_.lend_chat(loaded);
  if (template_.ends_with(".jinja"))
    loaded.chat =
        ChatTemplate::from_jinja(read_file(template_), template_, tokens_of(*loaded.tokenizer));
  else if (!template_.empty())
    loaded.chat = ChatTemplate::named(template_);
  return loaded;
}

GenerateOptions GenerationFlags::options(const LoadedModel& loaded, bool for_chat) const {
  GenerateOptions options = generation_defaults(loaded, for_chat);
  sampling_.apply(*loaded.tokenizer, options.sampling);
  options.max_tokens = max_tokens_.value_or(options.max_tokens);
  options.adapters = loaded.adapters;
  for (const std::string& stop : stop_) {
    check_utf8(stop, "--stop");
    options.stop_strings.push_back(stop);
  }
  check_generate(options);
  return options;
}

RemoteOptions GenerationFlags::remote_options() const {
  RemoteOptions options{.stop = stop_};
  sampling_.apply(options);
  options.max_tokens = max_tokens_.value_or(options.max_tokens);
  REQUIRE(options.max_tokens >= 1, "max tokens is ", options.max_tokens, ": it must be at least 1");
  return options;
}

int64_t GenerationFlags::context_of(const LoadedModel& loaded, int64_t wanted) const {
  return std::min(context_.value_or(wanted), loaded.model->config().context);
}

}  // namespace malssi
