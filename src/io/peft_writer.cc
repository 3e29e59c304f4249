#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/safetensors.h"

namespace malssi {
namespace {

std::string published(const Parameter& parameter) {
  return concat(kPeftPrefix, parameter.name, ".weight");
}

// Of a reward model: saved whole beside the matrices.
bool is_value_head(const Parameter& parameter) { return parameter.name == kPeftScore; }

std::string matrix_of(const Parameter& parameter) {
  return parameter.name.substr(0, parameter.name.rfind('.'));
}

// The last words of the matrices' names; all words of one that has no other. PEFT looks names up by their ends.
std::set<std::string> ends_of(const std::vector<Parameter>& parameters) {
  std::set<std::string> ends;
  for (const Parameter& parameter : parameters) {
    if (is_value_head(parameter)) continue;
    const std::string matrix = matrix_of(parameter);
    ends.insert(matrix.substr(matrix.rfind('.') + 1));
  }
  return ends;
}

// Whether an end names a matrix that is not adapted: then whole names are needed.
bool names_others(Model& model, const std::vector<Parameter>& parameters,
                  const std::set<std::string>& ends) {
  std::set<std::string> adapted;
  for (const Parameter& parameter : parameters) adapted.insert(matrix_of(parameter) + ".weight");
  bool others = false;
  model.visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts) {
      const std::string matrix = part.name.substr(0, part.name.rfind('.'));
      others |= !adapted.contains(part.name) && ends.contains(matrix.substr(matrix.rfind('.') + 1));
    }
  });
  return others;
}

Json targets_of(Model& model, const std::vector<Parameter>& parameters) {
  std::set<std::string> names = ends_of(parameters);
  if (names_others(model, parameters, names)) {
    names.clear();
    for (const Parameter& parameter : parameters)
      if (!is_value_head(parameter)) names.insert(matrix_of(parameter));
  }
  return names;
}

bool has_transposed(Model& model) {
  bool found = false;
  model.visit([&](const Parameter& p) {
    if (p.low_ranks == nullptr) return;
    for (const WeightPart& part : p.parts) found |= part.transposed;
  });
  return found;
}

}  // namespace

void write_peft_files(const fs::path& folder, Model& model,
                      const std::vector<Parameter>& parameters, const PeftSettings& settings) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& p : parameters) tensors.push_back({published(p), p.value->to(DType::f32)});
  write_safetensors(folder / kPeftWeights, tensors, {{"format", "pt"}}, Durability::later);
  Json config;
  config["peft_type"] = "LORA";
  const bool scores = std::ranges::any_of(parameters, is_value_head);
  config["task_type"] = scores ? "SEQ_CLS" : "CAUSAL_LM";
  if (scores) config["modules_to_save"] = {kPeftScore};
  config["base_model_name_or_path"] = settings.base;
  config["r"] = settings.rank;
  config["lora_alpha"] = settings.alpha;
  config["lora_dropout"] = settings.dropout;
  config["use_rslora"] = settings.is_stabilised;
  config["target_modules"] = targets_of(model, parameters);
  config["fan_in_fan_out"] = has_transposed(model);
  config["bias"] = "none";
  config["init_lora_weights"] = true;
  config["inference_mode"] = true;
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
