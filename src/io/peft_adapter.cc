// PEFT's folders. adapter_config.json says rank and alpha, for all matrices or by patterns of names; the safetensors file holds
// base_model.model.{module}.lora_A.weight [rank, inputs] and lora_B.weight [outputs, rank].
#include <array>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/peft_targets.h"
#include "io/safetensors.h"

namespace malssi {
namespace {

constexpr std::string_view kPrefix = kPeftPrefix;
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";
constexpr std::string_view kScore = "base_model.model.score.weight";
constexpr int64_t kMaxRank = 65536;

struct Refusal {
  std::string_view key, what;
};
// Settings that change what an adapter does, in ways that are not computed here.
constexpr std::array kRefusals = {
    Refusal{"use_dora", "DoRA's magnitudes"},
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

// Null, false, "none", and what is empty.
bool is_unset(const Json& value) {
  return value.is_null() || value == false || value == "none" || value == "" ||
         (value.is_structured() && value.empty());
}

void check_kind(const Json& config, const std::string& where) {
  const auto type = get<std::string>(config, "peft_type", where);
  REQUIRE(type == "LORA", where, ": a PEFT adapter of the kind \"", type,
          "\"; only \"LORA\" is read");
  for (const auto& [key, what] : kRefusals) {
    const auto found = config.find(key);
    const bool is_score = key == "modules_to_save" && found != config.end() &&
                          *found == Json::array({std::string(kPeftScore)});
    REQUIRE(found == config.end() || is_unset(*found) || is_score, where, ": \"", key, "\" is ",
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

std::map<std::string, AdapterPart> read_pairs(const Safetensors& file, const std::string& where) {
  std::map<std::string, AdapterPart> pairs;
  for (const Entry& entry : file.entries()) {
    std::string_view module = entry.name;
    if (module == kScore) continue;
    const bool is_a = module.ends_with(kA), is_b = module.ends_with(kB);
    REQUIRE(is_a || is_b, where, ": holds \"", entry.name, "\", ", stranger(entry.name),
            ", which cannot be applied; merge the adapter into its base with the program that made "
            "it");
    module.remove_suffix(kA.size());
    if (module.starts_with(kPrefix)) module.remove_prefix(kPrefix.size());
    const Tensor tensor = file.borrow(entry);
    const bool is_number = tensor.dtype() == DType::f32 || tensor.dtype() == DType::f16 ||
                           tensor.dtype() == DType::bf16;
    REQUIRE(is_number && tensor.shape().rank() == 2, where, ": \"", entry.name, "\" is ",
            describe(entry), "; expected a matrix of F32, F16 or BF16");
    AdapterPart& part = pairs[std::string(module)];
    (is_a ? part.a : part.b) = tensor;
  }
  REQUIRE(!pairs.empty(), where, ": holds no tensors, so no adapter");
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

AdapterFile open_peft_adapter(const fs::path& folder) {
  const std::string where = (folder / kPeftConfig).string();
  const Json config = load_json(folder / kPeftConfig);
  REQUIRE(config.is_object(), where, ": ", json_kind(config), ", expected an object");
  check_kind(config, where);
  REQUIRE(path_exists(folder / kPeftWeights), folder.string(), ": has no ", kPeftWeights,
          path_exists(folder / "adapter_model.bin")
              ? "; its adapter_model.bin is a pickle, which is not read for safety: convert it"
              : ": the adapter is not whole");
  const Safetensors weights(folder / kPeftWeights);
  AdapterFile file{.path = folder, .format = AdapterFormat::peft};
  file.base = get_or<std::string>(config, "base_model_name_or_path", "", where);
  file.alpha = get_or<double>(config, "lora_alpha", 8, where);
  file.file_bytes = weights.file_bytes();
  if (weights.find(kScore)) file.score = weights.load(std::string(kScore));
  const auto rank = get_or<double>(config, "r", 8, where);
  const bool is_stabilised = get_or<bool>(config, "use_rslora", false, where);
  const NumberByName ranks(config, "rank_pattern", where), alphas(config, "alpha_pattern", where);
  const auto named = config.find("target_modules");
  const PeftTargets targets(named == config.end() ? Json() : *named, where);
  for (auto& [module, part] : read_pairs(weights, weights.path().string())) {
    REQUIRE(targets.name(module), weights.path().string(), ": adapts \"", module,
            "\", which target_modules of ", kPeftConfig, " do not name");
    const double r = ranks.of(module, rank), alpha = alphas.of(module, file.alpha);
    check_pair(module, part, r, weights.path().string());
    const double scale = alpha / (is_stabilised ? std::sqrt(r) : r);
    REQUIRE(std::isfinite(static_cast<float>(scale)), where, ": \"", module, "\" has the scale ",
            scale, " (alpha ", alpha, ", rank ", r, "); expected a finite number");
    file.parts.push_back({module, part.a, part.b, static_cast<float>(scale)});
  }
  return file;
}

}  // namespace malssi
