#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/safetensors.h"

namespace malssi {
namespace {

// Of a reward model: saved whole beside the adapter.
bool is_value_head(const Parameter& parameter) { return parameter.name == kPeftScore; }

// PEFT's name of the tensor.
std::string published(const Parameter& parameter) {
  if (is_value_head(parameter)) return concat(kPeftPrefix, kPeftScore, ".weight");
  return parameter.parts.front().name;
}

// The module whose tensor it is: its name without the last word.
std::string module_of(const Parameter& parameter) {
  return parameter.name.substr(0, parameter.name.rfind('.'));
}

std::string end_of(const std::string& module) { return module.substr(module.rfind('.') + 1); }

// All modules that could have been adapted: linear layers, or norms.
std::set<std::string> modules_of(Model& model, AdapterKind kind) {
  std::set<std::string> modules;
  model.visit([&](const Parameter& p) {
    if ((kind == AdapterKind::norms) ? p.norm_changes == nullptr : p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts)
      modules.insert(part.name.substr(0, part.name.rfind('.')));
  });
  return modules;
}

// The last words of the modules' names, which PEFT looks for; their whole names where another module ends so, too.
Json names_of(const std::set<std::string>& modules, const std::set<std::string>& all) {
  std::set<std::string> ends;
  for (const std::string& module : modules) ends.insert(end_of(module));
  for (const std::string& module : all)
    if (!modules.contains(module) && ends.contains(end_of(module))) return modules;
  return ends;
}

bool has_transposed(Model& model) {
  bool found = false;
  model.visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts) found |= part.transposed;
  });
  return found;
}

void put_lora(const PeftSettings& settings, Json& config) {
  config["r"] = settings.rank;
  config["lora_alpha"] = settings.alpha;
  config["lora_dropout"] = settings.dropout;
  config["use_rslora"] = settings.is_stabilised;
  config["use_dora"] = settings.has_magnitudes;
  config["bias"] = "none";
  config["init_lora_weights"] = true;
}

// Prompt and prefix tuning.
void put_virtual(const ModelConfig& model, const Tensor& rows, AdapterKind kind, Json& config) {
  const bool is_prefix = kind == AdapterKind::prefix;
  config["num_virtual_tokens"] = rows.dim(0);
  config["token_dim"] = is_prefix ? model.kv_heads * model.head_dim : model.width;
  config["num_attention_heads"] = is_prefix ? model.kv_heads : model.heads;
  config["num_layers"] = model.layers;
  config["num_transformer_submodules"] = 1;
  if (is_prefix) {
    config["encoder_hidden_size"] = model.kv_heads * model.head_dim;
    config["prefix_projection"] = false;
  } else {
    config["prompt_tuning_init"] = "RANDOM";
  }
}

void put_targets(Model& model, const std::vector<Parameter>& parameters, AdapterKind kind,
                 Json& config) {
  std::set<std::string> modules, inner;  // inner: whose inputs IA3 scales
  for (const Parameter& p : parameters) {
    if (is_value_head(p)) continue;
    std::string module = module_of(p);
    if (kind == AdapterKind::bottleneck || kind == AdapterKind::norms)
      module.resize(module.rfind('.'));
    modules.insert(module);
    if (kind == AdapterKind::ia3 && p.value->dim(0) == 1) inner.insert(module);
  }
  const std::set<std::string> all = modules_of(model, kind);
  config["target_modules"] = names_of(modules, all);
  if (kind == AdapterKind::ia3) {
    config["feedforward_modules"] = inner.empty() ? Json::array() : names_of(inner, all);
    config["init_ia3_weights"] = true;
  }
  if (kind == AdapterKind::lora || kind == AdapterKind::ia3)
    config["fan_in_fan_out"] = has_transposed(model);
}

}  // namespace

void write_peft_files(const fs::path& folder, Model& model,
                      const std::vector<Parameter>& parameters, const PeftSettings& settings) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& p : parameters) tensors.push_back({published(p), p.value->to(DType::f32)});
  Json metadata{{"format", "pt"}};
  if (!settings.base_digest.empty()) metadata[kPeftDigest] = settings.base_digest;
  write_safetensors(folder / kPeftWeights, tensors, metadata, Durability::later);
  const AdapterKind kind = settings.kind;
  Json config;
  config["peft_type"] = peft_kind(kind);
  const bool scores = std::ranges::any_of(parameters, is_value_head);
  config["task_type"] = scores ? "SEQ_CLS" : "CAUSAL_LM";
  if (scores) config["modules_to_save"] = {kPeftScore};
  config["base_model_name_or_path"] = settings.base;
  config["inference_mode"] = true;
  if (kind == AdapterKind::lora) put_lora(settings, config);
  if (kind == AdapterKind::bottleneck) {
    config["non_linearity"] = settings.activation;
    config["scaling"] = settings.scaling;
  }
  if (kind == AdapterKind::prompt || kind == AdapterKind::prefix)
    put_virtual(model.config(), *parameters.front().value, kind, config);
  else
    put_targets(model, parameters, kind, config);
  write_file(folder / kPeftConfig, dump_json(config, 2) + "\n", Durability::later);
}

void read_peft_weights(const fs::path& folder, const std::vector<Parameter>& parameters) {
  const Safetensors file(folder / kPeftWeights);
  for (const Parameter& p : parameters) {
    const Tensor saved = file.load(published(p));
    REQUIRE(saved.shape() == p.value->shape(), file.path().string(), ": \"", published(p), "\" is ",
            saved.shape(), "; the adapter that is trained has ", p.value->shape(),
            ": rank and targets of a run cannot be changed");
    p.value->copy_from(saved);
  }
}

}  // namespace malssi
