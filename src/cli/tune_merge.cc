// malssi tune merge: an adapter into its base's weights; malssi tune combine: several adapters into one.
#include <cstdio>

#include "base/error.h"
#include "cli/lora_flags.h"
#include "cli/tune_command.h"
#include "io/combine_adapters.h"
#include "io/gguf_model.h"
#include "io/hf_folder.h"
#include "io/merge_adapter.h"
#include "io/quant_mix.h"

namespace malssi {
namespace {

struct MergeCommand {
  std::string base, out, quantize, dtype = "f32";
  std::vector<std::string> adapters;
};

void merge(const MergeCommand& command, Runner& runner) {
  const fs::path out = command.out;
  const bool is_gguf = out.extension() == ".gguf";
  if (!command.quantize.empty() && !is_gguf)
    throw UsageError("--quantize: quantised models are .gguf files: --out must end with .gguf");
  ModelSource source = open_model(command.base);
  for (const std::string& text : command.adapters) {
    const LoraChoice adapter = parse_adapter(text);
    merge_adapter(source, adapter.path, adapter.weight);
  }
  if (!is_gguf) {
    write_hf_folder(out, source, {.dtype = quant_mix(command.dtype).dtype});
  } else {
    const QuantMix& mix = quant_mix(command.quantize.empty() ? command.dtype : command.quantize);
    const GgufPlan plan = plan_gguf(source);
    std::vector<GgufTarget> targets;
    if (command.quantize.empty()) {
      targets = plain_targets(plan, mix.dtype);
    } else {
      for (const DType dtype : choose_dtypes(mix, plan, HasImportance::no))
        targets.push_back({dtype, nullptr});
    }
    write_gguf(out, plan, targets, mix.file_type,
               [&, done = int64_t{0}](const LazyTensor& tensor) mutable {
                 runner.console.progress({.done = ++done,
                                          .total = static_cast<int64_t>(plan.tensors.size()),
                                          .text = tensor.name});
               });
    runner.console.end_progress();
  }
  std::printf("%s\n", command.out.c_str());
}

struct CombineCommand {
  std::vector<std::string> adapters;
  std::string out, by = "average";
};

void combine(const CombineCommand& command) {
  std::vector<WeighedAdapter> adapters;
  for (const std::string& text : command.adapters) {
    const LoraChoice choice = parse_adapter(text);
    adapters.push_back({choice.path, choice.weight});
  }
  combine_adapters(adapters, command.by == "stack" ? CombineBy::stacking : CombineBy::averaging,
                   command.out);
  std::printf("%s\n", command.out.c_str());
}

}  // namespace

void add_merge(CLI::App& tune, Runner& runner) {
  auto merging = std::make_shared<MergeCommand>();
  CLI::App* sub = tune.add_subcommand("merge", "put adapters into their base's weights");
  sub->footer(
      "Examples:\n"
      "  malssi tune merge DIR runs/adapter --out merged/\n"
      "  malssi tune merge model-q4.gguf runs/adapter:0.5 --quantize q4_k_m --out merged.gguf\n"
      "Several are merged one after another. A quantised base is widened first. Bottlenecks, "
      "prompts\n"
      "and prefixes cannot be merged.");
  sub->add_option("base", merging->base, "the model")->required()->type_name("BASE");
  sub->add_option("adapters", merging->adapters, "adapters, each with a weight (default 1)")
      ->required()
      ->type_name("ADAPTER[:WEIGHT]");
  sub->add_option("--out", merging->out, "a folder or a .gguf file, which is written")
      ->required()
      ->type_name("OUT");
  sub->add_option("--dtype", merging->dtype, "of the weights: f32, f16 or bf16")
      ->check(CLI::IsMember({"f32", "f16", "bf16"}))
      ->type_name("TYPE");
  sub->add_option("--quantize", merging->quantize, "as malssi quantize has it: q8_0, q4_k_m, ...")
      ->type_name("TYPE");
  sub->callback([merging, &runner] { merge(*merging, runner); });

  auto combining = std::make_shared<CombineCommand>();
  sub = tune.add_subcommand("combine", "several adapters of one base as one");
  sub->footer(
      "Examples:\n"
      "  malssi tune combine runs/a/adapter:0.7 runs/b/adapter:0.3 --out both/\n"
      "  malssi tune combine runs/a/adapter runs/b/adapter --by stack --out both/\n"
      "average: every number is the weighted mean (weights are brought to a sum of 1); kinds, "
      "ranks\n"
      "and targets must be the same. stack: LoRA's ranks are put side by side, so that the result "
      "acts\n"
      "as all of them with their weights.");
  sub->add_option("adapters", combining->adapters, "PEFT folders or runs, each with a weight")
      ->required()
      ->type_name("ADAPTER[:WEIGHT]");
  sub->add_option("--by", combining->by, "average or stack")
      ->check(CLI::IsMember({"average", "stack"}))
      ->type_name("HOW");
  sub->add_option("--out", combining->out, "a PEFT folder, which is written")
      ->required()
      ->type_name("DIR");
  sub->callback([combining] { combine(*combining); });
}

}  // namespace malssi
