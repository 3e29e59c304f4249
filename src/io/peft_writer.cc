#include <algorithm>
#include <cmath>
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

// Twice the rank at the same scale, where there is a start: alpha / rank or, stabilised, alpha / sqrt(rank).
void put_lora(const PeftSettings& settings, bool has_start, Json& config) {
  const double more = settings.is_stabilised ? std::sqrt(2.0) : 2;
  config["r"] = has_start ? 2 * settings.rank : settings.rank;
  config["lora_alpha"] = has_start ? more * settings.alpha : settings.alpha;
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

// What a principal part was when it began, beside what it is now.
struct Beginning {
  const AdapterPart* part = nullptr;  // null: the parameter had none
  bool is_a = false;

  Tensor numbers() const { return is_a ? part->a : part->b; }
};

Beginning beginning_of(const Parameter& p, const std::vector<AdapterPart>& start) {
  const bool is_a = p.name.ends_with(".lora_A");
  if (!is_a && !p.name.ends_with(".lora_B")) return {};
  for (const AdapterPart& part : start)
    if (part.matrix == module_of(p)) return {&part, is_a};
  return {};
}

// [A; A0] of A, [B, -B0] of B: their product is B A - B0 A0.
Tensor with_beginning(const Tensor& now, const Beginning& began) {
  const Tensor start = began.numbers().to(DType::f32);
  const int64_t rows = now.dim(0), columns = now.dim(1);
  const Tensor both =
      Tensor::empty(began.is_a ? Shape{2 * rows, columns} : Shape{rows, 2 * columns});
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      const float a = now.f32()[i * columns + j], b = start.f32()[i * columns + j];
      both.f32()[began.is_a ? i * columns + j : i * 2 * columns + j] = a;
      both.f32()[began.is_a ? (rows + i) * columns + j : (i * 2 + 1) * columns + j] =
          began.is_a ? b : -b;
    }
  return both;
}

// The same apart again: what is trained, and what it began as.
void split_beginning(const Tensor& both, const Parameter& p, const Beginning& began) {
  const int64_t rows = p.value->dim(0), columns = p.value->dim(1);
  const Tensor now = Tensor::empty({rows, columns}), start = Tensor::empty({rows, columns});
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      now.f32()[i * columns + j] = both.f32()[began.is_a ? i * columns + j : i * 2 * columns + j];
      const float b = both.f32()[began.is_a ? (rows + i) * columns + j : (i * 2 + 1) * columns + j];
      start.f32()[i * columns + j] = began.is_a ? b : -b;
    }
  p.value->copy_from(now);
  began.numbers().copy_from(start);
}

}  // namespace

void write_peft_files(const fs::path& folder, Model& model,
                      const std::vector<Parameter>& parameters, const PeftSettings& settings,
                      const std::vector<AdapterPart>& start) {
  std::vector<LazyTensor> tensors;  // one after the other, so that no copy of all is made
  for (const Parameter& p : parameters) {
    const Beginning began = beginning_of(p, start);
    Shape shape = p.value->shape();
    if (began.part)
      shape = began.is_a ? Shape{2 * shape[0], shape[1]} : Shape{shape[0], 2 * shape[1]};
    tensors.push_back({published(p), shape, DType::f32, [value = *p.value, began] {
                         const Tensor now = value.to(DType::f32);
                         return began.part ? with_beginning(now, began) : now;
                       }});
  }
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
  if (kind == AdapterKind::lora) put_lora(settings, !start.empty(), config);
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

void read_peft_weights(const fs::path& folder, const std::vector<Parameter>& parameters,
                       const std::vector<AdapterPart>& start) {
  const Safetensors file(folder / kPeftWeights);
  for (const Parameter& p : parameters) {
    const Tensor saved = file.load(published(p));
    const Beginning began = beginning_of(p, start);
    Shape expected = p.value->shape();
    if (began.part)
      expected =
          began.is_a ? Shape{2 * expected[0], expected[1]} : Shape{expected[0], 2 * expected[1]};
    REQUIRE(saved.shape() == expected, file.path().string(), ": \"", published(p), "\" is ",
            saved.shape(), "; the adapter that is trained has ", expected,
            ": rank and targets of a run cannot be changed");
    if (began.part)
      split_beginning(saved, p, began);
    else
      p.value->copy_from(saved);
  }
}

}  // namespace malssi
