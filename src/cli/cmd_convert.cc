// malssi convert: a model from one file format to another.
#include <cstdio>
#include <memory>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/lora_flags.h"
#include "io/gguf_model.h"
#include "io/hf_folder.h"
#include "io/merge_adapter.h"
#include "io/model_source.h"
#include "io/quant_mix.h"

namespace malssi {
namespace {

struct ConvertCommand {
  std::string from, to, tokenizer, dtype = "f32", shard_size, base;
  LoraFlags lora;
};

// "2GB", "500MB": as Hugging Face counts them, in thousands.
int64_t parse_size(const std::string& text) {
  if (text.empty()) return 0;
  size_t end = 0;
  double number = 0;
  try {
    number = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  const std::string unit = text.substr(end);
  const double scale = unit == "GB" ? 1e9 : unit == "MB" ? 1e6 : unit == "KB" ? 1e3 : 0;
  const double bytes = number * scale;
  if (end == 0 || !(bytes >= 1 && bytes < 9e18))
    throw UsageError("--shard-size: \"" + text + "\"; expected a size like 2GB or 500MB");
  return static_cast<int64_t>(bytes);
}

// A PEFT folder as a GGUF adapter, for programs that read those.
void convert_adapter(const ConvertCommand& command) {
  const fs::path to = command.to;
  if (command.base.empty())
    throw UsageError(command.from + ": it is a LoRA adapter: name its base model with --base");
  if (!command.lora.choices().empty() || !command.tokenizer.empty() || !command.shard_size.empty())
    throw UsageError("an adapter is written alone: leave out --lora, --tokenizer and --shard-size");
  if (to.extension() != ".gguf")
    throw UsageError("an adapter is written as a GGUF file: TO must end with .gguf");
  const ModelConfig config = open_model(command.base).config;
  write_gguf_adapter(to, open_adapter(command.from), *make_model(config, DType::f32, std::nullopt));
  std::printf("%s\n", to.string().c_str());
}

void run(const ConvertCommand& command, Runner& runner) {
  if (is_adapter(command.from)) return convert_adapter(command);
  if (!command.base.empty())
    throw UsageError("--base is for adapters, and " + command.from + " is none");
  const QuantMix& type = quant_mix(command.dtype);
  const fs::path to = command.to;
  const std::optional<fs::path> tokenizer =
      command.tokenizer.empty() ? std::nullopt : std::optional<fs::path>(command.tokenizer);
  ModelSource source = open_model(command.from, tokenizer);
  for (const LoraChoice& lora : command.lora.choices())
    merge_adapter(source, lora.path, lora.weight);
  if (!source.tokenizer)
    runner.console.warn(source.where +
                        ": has no tokenizer; the result will have none (--tokenizer FILE)");
  if (to.extension() != ".gguf") {
    write_hf_folder(to, source,
                    {.dtype = type.dtype, .shard_bytes = parse_size(command.shard_size)});
  } else {
    if (!command.shard_size.empty())
      throw UsageError("--shard-size is for folders; a .gguf file is written in one piece");
    const GgufPlan plan = plan_gguf(source);
    write_gguf(to, plan, plain_targets(plan, type.dtype), type.file_type,
               [&, done = int64_t{0}](const LazyTensor& tensor) mutable {
                 runner.console.progress({.done = ++done,
                                          .total = static_cast<int64_t>(plan.tensors.size()),
                                          .text = tensor.name});
               });
    runner.console.end_progress();
  }
  std::printf("%s\n", to.string().c_str());
}

}  // namespace

void add_convert(CLI::App& app, Runner& runner) {
  auto command = std::make_shared<ConvertCommand>();
  CLI::App* sub = app.add_subcommand("convert", "a model from one file format to another");
  sub->footer(
      "Examples:\n"
      "  malssi convert runs/demo/model model.gguf --dtype bf16\n"
      "  malssi convert model.gguf model/                     a Hugging Face folder\n"
      "  malssi convert big/ sharded/ --shard-size 2GB --dtype bf16\n"
      "  malssi convert stories260K.bin stories/ --tokenizer tok512.bin    from llama2.c\n"
      "  malssi convert base/ merged/ --lora adapter/         the adapter added into the weights\n"
      "  malssi convert adapter/ adapter.gguf --base base/    a PEFT adapter as GGUF\n"
      "What FROM is shows in its content; TO is a GGUF file when its name ends with .gguf, else a "
      "folder.\n"
      "Tensors are converted one after another: a model may be larger than memory.");
  sub->add_option("from", command->from,
                  "a model folder or run, a .gguf file, llama2.c's legacy .bin, or a PEFT adapter")
      ->required()
      ->type_name("FROM");
  sub->add_option("to", command->to, "a .gguf file or a folder, which is written")
      ->required()
      ->type_name("TO");
  command->lora.add_to(*sub);
  sub->add_option("--base", command->base, "the model that an adapter is for")->type_name("MODEL");
  sub->add_option("--tokenizer", command->tokenizer, "take the tokenizer from this file or folder")
      ->type_name("FILE");
  sub->add_option("--dtype", command->dtype, "of the weights: f32, f16 or bf16; adapters: f32")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}))
      ->type_name("TYPE");
  sub->add_option("--shard-size", command->shard_size,
                  "a folder's weights in files of at most this size: 2GB, 500MB")
      ->type_name("SIZE");
  sub->callback([command, &runner] { run(*command, runner); });
}

}  // namespace malssi
