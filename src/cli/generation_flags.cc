#include "cli/generation_flags.h"

#include <algorithm>
#include <random>

#include "base/error.h"
#include "infer/generate.h"
#include "infer/generation_defaults.h"

namespace malssi {

const std::vector<std::string> kComputeDtypes = {"auto", "f32", "bf16"};

std::optional<DType> compute_dtype(const std::string& name) {
  if (name == "f32") return DType::f32;
  if (name == "bf16") return DType::bf16;
  return std::nullopt;
}

void GenerationFlags::add_to(CLI::App& command) {
  command.add_option("--model", model_, "Hugging Face folder, run folder, or GGUF file")
      ->required()
      ->type_name("MODEL");
  command.add_option("--dtype", dtype_, "precision: f32, bf16, or auto: as the file has it")
      ->check(CLI::IsMember(kComputeDtypes))
      ->type_name("TYPE");
  command
      .add_option("--template", template_,
                  "chat template in place of the model's own: " +
                      CLI::detail::join(ChatTemplate::styles(), ", "))
      ->type_name("NAME");
  command
      .add_option("--context", context_,
                  "tokens that prompt and answer may have together (default: the model's context)")
      ->check(CLI::PositiveNumber);
  const std::string group = "Choosing tokens (defaults: the model's generation_config.json)";
  command.add_option("--max-tokens", max_tokens_, "longest answer, in tokens")->group(group);
  command.add_flag("--greedy", greedy_, "always the likeliest token; the same as --temperature 0")
      ->group(group);
  command.add_option("--temperature", temperature_, "below 1 sharper, above 1 wilder")
      ->group(group);
  command.add_option("--top-k", top_k_, "only the K likeliest tokens; 0: all")->group(group);
  command.add_option("--top-p", top_p_, "only the likeliest tokens that reach probability P")
      ->group(group);
  command.add_option("--min-p", min_p_, "only tokens at least P times as likely as the likeliest")
      ->group(group);
  command.add_option("--repetition-penalty", repetition_penalty_, "above 1: repeat less")
      ->group(group);
  command.add_option("--seed", seed_, "same seed, same text (default: new each time)")
      ->group(group);
  command
      .add_option("--stop", stop_, "end the answer before this text; may be given several times")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->group(group);
}

LoadedModel GenerationFlags::load() const {
  LoadedModel loaded = load_model(model_, compute_dtype(dtype_));
  if (!template_.empty()) loaded.chat = ChatTemplate::named(template_);
  return loaded;
}

GenerateOptions GenerationFlags::options(const LoadedModel& loaded, bool for_chat) const {
  GenerateOptions options = generation_defaults(loaded, for_chat);
  SamplingOptions& sampling = options.sampling;
  if (greedy_) sampling.temperature = 0;
  sampling.temperature = temperature_.value_or(sampling.temperature);
  sampling.top_k = top_k_.value_or(sampling.top_k);
  sampling.top_p = top_p_.value_or(sampling.top_p);
  sampling.min_p = min_p_.value_or(sampling.min_p);
  sampling.repetition_penalty = repetition_penalty_.value_or(sampling.repetition_penalty);
  sampling.seed = seed_ ? *seed_ : std::random_device{}();
  options.max_tokens = max_tokens_.value_or(options.max_tokens);
  for (const std::string& stop : stop_) {
    check_utf8(stop, "--stop");
    options.stop_strings.push_back(stop);
  }
  check_generate(options);
  return options;
}

int64_t GenerationFlags::context_of(const LoadedModel& loaded, int64_t wanted) const {
  return std::min(context_.value_or(wanted), loaded.model->config().context);
}

}  // namespace malssi
