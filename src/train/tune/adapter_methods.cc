#include "train/tune/adapter_methods.h"

#include "base/error.h"
#include "io/peft_targets.h"
#include "models/fresh_adapter.h"
#include "train/run/new_run.h"
#include "train/tune/adapter_run.h"

namespace malssi {
namespace {

// What a setting names; none where it is empty.
IsTarget named(const std::string& targets, const char* key) {
  if (targets.empty()) return {};
  return [known = std::make_shared<const PeftTargets>(peft_targets(targets), key)](
             const std::string& module) { return known->name(module); };
}

Adapter make(const Ia3Settings& s, Model& model, const Tokenizer&, uint64_t) {
  return make_ia3(model, named(s.targets, "ia3.targets"), named(s.inner, "ia3.inner"));
}
Adapter make(const PromptSettings& s, Model& model, const Tokenizer& tokenizer, uint64_t seed) {
  return make_prompt(model, s.tokens, tokenizer.encode(s.text), seed);
}
Adapter make(const PrefixSettings& s, Model& model, const Tokenizer&, uint64_t seed) {
  return make_prefix(model, s.tokens, seed);
}
Adapter make(const BottleneckSettings& s, Model& model, const Tokenizer&, uint64_t seed) {
  return make_bottlenecks(model, {.inner = s.inner,
                                  .after_attention = s.after != "mlp",
                                  .after_mlp = s.after != "attention",
                                  .activation = s.activation == "relu" ? BottleneckActivation::relu
                                                                       : BottleneckActivation::gelu,
                                  .scale = static_cast<float>(s.scaling),
                                  .seed = seed});
}
Adapter make(const NormsSettings& s, Model& model, const Tokenizer&, uint64_t) {
  return make_norms(model, named(s.targets, "norms.targets"));
}

PeftSettings peft(const Ia3Settings&) { return {.kind = AdapterKind::ia3}; }
PeftSettings peft(const PromptSettings&) { return {.kind = AdapterKind::prompt}; }
PeftSettings peft(const PrefixSettings&) { return {.kind = AdapterKind::prefix}; }
PeftSettings peft(const NormsSettings&) { return {.kind = AdapterKind::norms}; }
PeftSettings peft(const BottleneckSettings& s) {
  return {.kind = AdapterKind::bottleneck, .activation = s.activation, .scaling = s.scaling};
}

template <class Settings>
RunResult tune(AdapterConfig<Settings>& config, const ConfigSchema& schema,
               const std::optional<fs::path>&, const std::function<void()>& begin,
               Console& console) {
  const auto seed = static_cast<uint64_t>(config.train.seed);
  return train_adapter_run(
      {.data = config.sft,
       .train = config.train,
       .optim = config.optim,
       .log = config.log,
       .schema = schema,
       .make =
           [&config, seed](Model& model, const Tokenizer& tokenizer) {
             return make(config.method, model, tokenizer, seed);
           },
       .dropout = 0,
       .peft = peft(config.method),
       .summary = concat("An adapter (", Settings::kName, ") that follows instructions")},
      begin, console);
}

template <class Settings>
RunResult resume(const fs::path& run, const std::vector<std::string>& settings, Console& console) {
  AdapterConfig<Settings> config;
  return go_on_with_run(config, run, settings, tune<Settings>, console);
}

}  // namespace

template <class Settings>
RunResult run_adapter_method(AdapterConfig<Settings> config, Console& console) {
  const auto settle_paths = [&] {
    settle(config.train, {&config.sft.model, &config.sft.val}, config.sft.data);
  };
  return start_run(config, Settings::kName, settle_paths, tune<Settings>, console);
}

template RunResult run_adapter_method(AdapterConfig<Ia3Settings>, Console&);
template RunResult run_adapter_method(AdapterConfig<PromptSettings>, Console&);
template RunResult run_adapter_method(AdapterConfig<PrefixSettings>, Console&);
template RunResult run_adapter_method(AdapterConfig<BottleneckSettings>, Console&);
template RunResult run_adapter_method(AdapterConfig<NormsSettings>, Console&);

bool is_adapter_method(std::string_view kind) {
  for (const std::string_view known :
       {Ia3Settings::kName, PromptSettings::kName, PrefixSettings::kName, BottleneckSettings::kName,
        NormsSettings::kName})
    if (kind == known) return true;
  return false;
}

RunResult resume_adapter_method(const fs::path& run, std::string_view kind,
                                const std::vector<std::string>& settings, Console& console) {
  if (kind == Ia3Settings::kName) return resume<Ia3Settings>(run, settings, console);
  if (kind == PromptSettings::kName) return resume<PromptSettings>(run, settings, console);
  if (kind == PrefixSettings::kName) return resume<PrefixSettings>(run, settings, console);
  if (kind == NormsSettings::kName) return resume<NormsSettings>(run, settings, console);
  CHECK(kind == BottleneckSettings::kName, "no adapter method ", kind);
  return resume<BottleneckSettings>(run, settings, console);
}

}  // namespace malssi
