// PEFT's folders. adapter_config.json says rank and alpha, for all matrices or by patterns of names; the safetensors file holds
// base_model.model.{module}.lora_A.weight [rank, inputs] and lora_B.weight [outputs, rank].
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/peft_targets.h"
#include "io/tensor_file.h"

namespace malssi {
namespace {

constexpr std::string_view kPrefix = kPeftPrefix;
constexpr std::string_view kA = ".lora_A", kB = ".lora_B", kMagnitude = ".lora_magnitude_vector";
constexpr int64_t kMaxRank = 65536;

struct Refusal {
  std::string_view key, what;
};
// Settings that change what an adapter does, in ways that are not computed here.
constexpr std::array kRefusals = {
    Refusal{"modules_to_save", "whole modules that replace the base's"},
    Refusal{"bias", "biases that replace the base's"},
    Refusal{"lora_bias", "biases of B"},
    Refusal{"target_parameters", "parameters that are no linear layers"},
    Refusal{"trainable_token_indices", "changed rows of the embedding"},
    Refusal{"layer_replication", "layers that are used several times"},
    Refusal{"alora_invocation_tokens", "activation by tokens of the prompt"},
    Refusal{"use_qalora", "QA-LoRA's pooled inputs"},
    Refusal{"use_bdlora", "block-diagonal matrices"},
};

// The modules that PEFT saves of classifiers, by the names that families give their heads.
constexpr std::array<std::string_view, 3> kHeads = {"score", "classifier", "pre_classifier"};

bool names_heads_alone(const Json& modules) {
  return modules.is_array() && std::ranges::all_of(modules, [](const Json& module) {
           return module.is_string() && std::ranges::count(kHeads, module.get<std::string>()) > 0;
         });
}

// Null, false, "none", and what is empty.
bool is_unset(const Json& value) {
  return value.is_null() || value == false || value == "none" || value == "" ||
         (value.is_structured() && value.empty());
}

AdapterKind kind_of(const Json& config, const std::string& where) {
  const auto type = get<std::string>(config, "peft_type", where);
  std::string known;
  for (const AdapterKind kind :
       {AdapterKind::lora, AdapterKind::ia3, AdapterKind::prompt, AdapterKind::prefix,
        AdapterKind::norms, AdapterKind::bottleneck}) {
    if (peft_kind(kind) == type) return kind;
    known += concat(known.empty() ? "" : ", ", peft_kind(kind));
  }
  throw Error(
      concat(where, ": a PEFT adapter of the kind \"", type, "\"; those of ", known, " are read"));
}

void check_settings(const Json& config, const std::string& where) {
  for (const auto& [key, what] : kRefusals) {
    const auto found = config.find(key);
    const bool is_head =
        key == "modules_to_save" && found != config.end() && names_heads_alone(*found);
    REQUIRE(found == config.end() || is_unset(*found) || is_head, where, ": \"", key, "\" is ",
            dump_json(*found).substr(0, 80), ": ", what,
            " cannot be applied; merge the adapter into its base with the program that made it");
  }
  const auto start = config.find("init_lora_weights");
  if (start == config.end() || !start->is_string()) return;
  const auto name = start->get<std::string>();
  REQUIRE(name == "gaussian" || name == "eva" || name == "orthogonal", where,
          ": \"init_lora_weights\" is \"", name,
          "\", which changes the base's weights too: save the adapter converted to plain LoRA");
}

// rank_pattern or alpha_pattern: the first whose expression matches a module's name, or the end of it after a dot.
class NumberByName {
 public:
  NumberByName(const Json& config, const char* key, const std::string& where) {
    const Json patterns = get_or<Json>(config, key, Json::object(), where);
    REQUIRE(patterns.is_object() && patterns.size() <= 65536, where, ": \"", key, "\" is ",
            json_kind(patterns), ", expected an object of names and numbers");
    for (const auto& [name, number] : patterns.items()) {
      REQUIRE(number.is_number(), where, ": \"", key, "\": \"", name, "\" is ", json_kind(number),
              ", expected a number");
      entries_.emplace_back(NamePattern("(?:.*\\.)?(?:" + name + ")", where), number.get<double>());
    }
  }
  double of(const std::string& module, double fallback) const {
    for (const auto& [pattern, number] : entries_)
      if (pattern.matches(module)) return number;
    return fallback;
  }

 private:
  std::vector<std::pair<NamePattern, double>> entries_;
};

// What a tensor that belongs to no pair is, for the message that refuses it.
std::string_view stranger(std::string_view name) {
  if (name.find("lora_magnitude_vector") != name.npos) return "a magnitude of DoRA";
  if (name.find("lora_embedding_") != name.npos) return "an adapter of an embedding";
  if (name.ends_with(".bias")) return "a bias";
  return "no lora_A or lora_B of a linear layer";
}

std::map<std::string, AdapterPart> read_pairs(const TensorFile& file, bool has_magnitudes,
                                              const std::string& where) {
  std::map<std::string, AdapterPart> pairs;
  for (const Entry& entry : file.entries()) {
    std::string_view module = entry.name;
    if (!head_name(entry.name).empty()) continue;
    if (module.ends_with(".weight")) module.remove_suffix(7);  // loralib's names have none
    const bool is_a = module.ends_with(kA), is_b = module.ends_with(kB),
               is_magnitude = has_magnitudes && module.ends_with(kMagnitude);
    REQUIRE(is_a || is_b || is_magnitude, where, ": holds \"", entry.name, "\", ",
            stranger(entry.name),
            ", which cannot be applied; merge the adapter into its base with the program that made "
            "it");
    module.remove_suffix((is_magnitude ? kMagnitude : kA).size());
    if (module.starts_with(kPrefix)) module.remove_prefix(kPrefix.size());
    AdapterPart& part = pairs[std::string(module)];
    (is_magnitude ? part.magnitude
     : is_a       ? part.a
                  : part.b) = borrow_numbers(file, entry, is_magnitude ? 1 : 2);
  }
  REQUIRE(!pairs.empty(), where, ": holds no tensors, so no adapter");
  for (const auto& [module, part] : pairs)
    REQUIRE(part.magnitude.defined() == has_magnitudes, where, ": \"", module,
            "\" has no lora_magnitude_vector, but use_dora is set: the adapter is not whole");
  return pairs;
}

void check_pair(const std::string& module, const AdapterPart& part, double rank,
                const std::string& where) {
  REQUIRE(part.a && part.b, where, ": \"", module, "\" has ", part.a ? kA.substr(1) : kB.substr(1),
          " but no ", part.a ? kB.substr(1) : kA.substr(1), ": the adapter is not whole");
  REQUIRE(rank >= 1 && rank <= static_cast<double>(kMaxRank) && rank == std::floor(rank), where,
          ": \"", module, "\" has the rank ", rank, "; expected a whole number, 1 to ", kMaxRank);
  const auto r = static_cast<int64_t>(rank);
  REQUIRE(part.a.dim(0) == r && part.b.dim(1) == r, where, ": \"", module, "\": A is ",
          part.a.shape(), " and B ", part.b.shape(), ", but ", kPeftConfig, " says rank ", r);
}

}  // namespace

fs::path peft_weights(const fs::path& folder) {
  constexpr std::string_view kPickled = "adapter_model.bin";
  const bool is_pickled = !path_exists(folder / kPeftWeights) && path_exists(folder / kPickled);
  const fs::path file = folder / (is_pickled ? kPickled : kPeftWeights);
  REQUIRE(path_exists(file), folder.string(), ": has no ", kPeftWeights,
          ": the adapter is not whole");
  return file;
}

std::string head_name(std::string_view name) {
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  for (const std::string_view head : kHeads)
    if (name.starts_with(head) && name.substr(head.size()).starts_with('.') &&
        name.find("lora_") == name.npos)
      return std::string(name);
  return {};
}

Tensor borrow_numbers(const TensorFile& file, const Entry& entry, int rank) {
  const Tensor tensor = file.borrow(entry);
  const bool is_number =
      tensor.dtype() == DType::f32 || tensor.dtype() == DType::f16 || tensor.dtype() == DType::bf16;
  REQUIRE(is_number && tensor.shape().rank() == rank, file.path().string(), ": \"", entry.name,
          "\" is ", describe(entry), "; expected ", rank == 1 ? "a vector" : "a matrix",
          " of F32, F16 or BF16");
  return tensor;
}

namespace {

void read_lora(const Json& config, const TensorFile& weights, const std::string& where,
               AdapterFile& file) {
  check_settings(config, where);
  file.alpha = get_or<double>(config, "lora_alpha", 8, where);
  const auto rank = get_or<double>(config, "r", 8, where);
  const bool is_stabilised = get_or<bool>(config, "use_rslora", false, where);
  const bool has_magnitudes = get_or<bool>(config, "use_dora", false, where);
  const NumberByName ranks(config, "rank_pattern", where), alphas(config, "alpha_pattern", where);
  const auto named = config.find("target_modules");
  const PeftTargets targets(named == config.end() ? Json() : *named, where);
  const std::string tensors = weights.path().string();
  for (auto& [module, part] : read_pairs(weights, has_magnitudes, tensors)) {
    REQUIRE(targets.name(module), tensors, ": adapts \"", module, "\", which target_modules of ",
            kPeftConfig, " do not name");
    const double r = ranks.of(module, rank), alpha = alphas.of(module, file.alpha);
    check_pair(module, part, r, tensors);
    const double scale = alpha / (is_stabilised ? std::sqrt(r) : r);
    REQUIRE(std::isfinite(static_cast<float>(scale)), where, ": \"", module, "\" has the scale ",
            scale, " (alpha ", alpha, ", rank ", r, "); expected a finite number");
    file.parts.push_back({module, part.a, part.b, static_cast<float>(scale), part.magnitude});
  }
}

}  // namespace

AdapterFile open_peft_adapter(const fs::path& folder) {
  const std::string where = (folder / kPeftConfig).string();
  const Json config = load_json(folder / kPeftConfig);
  REQUIRE(config.is_object(), where, ": ", json_kind(config), ", expected an object");
  AdapterFile file{.path = folder, .format = AdapterFormat::peft, .kind = kind_of(config, where)};
  const auto opened = open_tensor_file(peft_weights(folder));
  const TensorFile& weights = *opened;
  file.base = get_or<std::string>(config, "base_model_name_or_path", "", where);
  file.base_digest =
      get_or<std::string>(weights.metadata(), kPeftDigest, "", weights.path().string());
  file.file_bytes = weights.file_bytes();
  if (file.kind == AdapterKind::lora)
    for (const Entry& entry : weights.entries())
      if (std::string name = head_name(entry.name); !name.empty())
        file.head.push_back(
            {name, borrow_numbers(weights, entry, name.ends_with(".bias") ? 1 : 2).to(DType::f32)});
  if (file.kind == AdapterKind::lora)
    read_lora(config, weights, where, file);
  else
    file.extras = read_extras(file.kind, config, weights, where);
  return file;
}

}  // namespace malssi
