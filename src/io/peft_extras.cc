// PEFT's folders of other kinds than LoRA: IA3 (ia3_l of each matrix), prompt and prefix tuning (prompt_embeddings), LN tuning
// (ln_tuning_layers of each norm); and bottleneck adapters, in the layout that adapter_file.h describes.
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "io/adapter_formats.h"
#include "io/peft_targets.h"

namespace malssi {
namespace {

// A tensor's module and what it is of it: "X.adapter_up.bias" -> X, "adapter_up.bias". Error: none of these endings.
std::pair<std::string, std::string> split(const Entry& entry,
                                          std::initializer_list<std::string_view> endings,
                                          const std::string& where) {
  std::string_view name = entry.name;
  if (name.starts_with(kPeftPrefix)) name.remove_prefix(kPeftPrefix.size());
  for (const std::string_view ending : endings)
    if (name.ends_with(ending) && name.size() > ending.size() + 1)
      return {std::string(name.substr(0, name.size() - ending.size() - 1)), std::string(ending)};
  throw Error(concat(where, ": holds \"", entry.name, "\"; expected names that end with ",
                     *endings.begin(), ": what else there is cannot be applied"));
}

PeftTargets targets_of(const Json& config, const char* key, const std::string& where) {
  const auto named = config.find(key);
  return PeftTargets(named == config.end() ? Json() : *named, where);
}

void refuse_saved_modules(const Json& config, const std::string& where) {
  const auto found = config.find("modules_to_save");
  REQUIRE(found == config.end() || found->empty(), where,
          ": \"modules_to_save\": whole modules that replace the base's cannot be applied");
}

std::vector<ScalingPart> read_factors(const Json& config, const TensorFile& weights,
                                      const std::string& where) {
  const PeftTargets inner = targets_of(config, "feedforward_modules", where);
  const auto named = config.find("feedforward_modules");
  const bool has_inner = named != config.end() && !named->is_null() && !named->empty();
  std::vector<ScalingPart> parts;
  for (const Entry& entry : weights.entries()) {
    const std::string module = split(entry, {"ia3_l"}, weights.path().string()).first;
    const Tensor factors = borrow_numbers(weights, entry, 2);
    const bool of_inputs = has_inner && inner.name(module);
    REQUIRE(factors.dim(of_inputs ? 0 : 1) == 1, weights.path().string(), ": \"", entry.name,
            "\" is ", factors.shape(), "; expected ",
            of_inputs ? "[1, inputs], as feedforward_modules say" : "[outputs, 1]");
    parts.push_back({module, factors, of_inputs});
  }
  return parts;
}

std::vector<NormPart> read_norms(const TensorFile& weights) {
  std::map<std::string, NormPart> parts;
  for (const Entry& entry : weights.entries()) {
    const auto [norm, kind] =
        split(entry, {"ln_tuning_layers.weight", "ln_tuning_layers.bias"}, weights.path().string());
    NormPart& part = parts[norm];
    part.norm = norm;
    (kind.ends_with(".bias") ? part.bias : part.weight) = borrow_numbers(weights, entry, 1);
  }
  std::vector<NormPart> list;
  for (auto& [norm, part] : parts) list.push_back(part);
  return list;
}

std::vector<BottleneckPart> read_bottlenecks(const Json& config, const TensorFile& weights,
                                             const std::string& where) {
  const auto activation = get_or<std::string>(config, "non_linearity", "relu", where);
  REQUIRE(activation == "relu" || activation == "gelu", where, ": \"non_linearity\" is \"",
          activation, "\"; known are relu and gelu");
  const auto scale = get_or<double>(config, "scaling", 1, where);
  REQUIRE(std::isfinite(static_cast<float>(scale)), where, ": \"scaling\" is no finite number");
  std::map<std::string, BottleneckPart> parts;
  for (const Entry& entry : weights.entries()) {
    const auto [matrix, kind] = split(
        entry, {"adapter_down.weight", "adapter_down.bias", "adapter_up.weight", "adapter_up.bias"},
        weights.path().string());
    BottleneckPart& part = parts[matrix];
    part.matrix = matrix;
    const bool is_down = kind.starts_with("adapter_down"), is_bias = kind.ends_with(".bias");
    (is_bias ? (is_down ? part.down_bias : part.up_bias) : (is_down ? part.down : part.up)) =
        borrow_numbers(weights, entry, is_bias ? 1 : 2);
  }
  std::vector<BottleneckPart> list;
  for (auto& [matrix, part] : parts) {
    REQUIRE(part.down && part.up && part.down_bias && part.up_bias, weights.path().string(), ": \"",
            matrix, "\" lacks one of adapter_down and adapter_up with their biases: not whole");
    part.activation =
        activation == "relu" ? BottleneckActivation::relu : BottleneckActivation::gelu;
    part.scale = static_cast<float>(scale);
    list.push_back(part);
  }
  return list;
}

Tensor read_virtual(const Json& config, const TensorFile& weights, const std::string& where) {
  REQUIRE(weights.entries().size() == 1, weights.path().string(), ": holds ",
          weights.entries().size(), " tensors; expected prompt_embeddings alone");
  const Entry* entry = weights.find("prompt_embeddings");
  REQUIRE(entry != nullptr, weights.path().string(), ": holds \"", weights.entries().front().name,
          "\"; expected prompt_embeddings");
  REQUIRE(!get_or<bool>(config, "prefix_projection", false, where), where,
          ": \"prefix_projection\" is set, whose network cannot be applied");
  const Tensor rows = borrow_numbers(weights, *entry, 2);
  const auto expected = get_or<int64_t>(config, "num_virtual_tokens", rows.dim(0), where);
  REQUIRE(rows.dim(0) == expected, weights.path().string(), ": prompt_embeddings are ",
          rows.shape(), ", but ", kPeftConfig, " says ", expected, " virtual tokens");
  return rows;
}

}  // namespace

AdapterExtras read_extras(AdapterKind kind, const Json& config, const TensorFile& weights,
                          const std::string& where) {
  refuse_saved_modules(config, where);
  REQUIRE(!weights.entries().empty(), weights.path().string(), ": holds no tensors, so no adapter");
  AdapterExtras extras;
  if (kind == AdapterKind::ia3) extras.scalings = read_factors(config, weights, where);
  if (kind == AdapterKind::norms) extras.norms = read_norms(weights);
  if (kind == AdapterKind::bottleneck)
    extras.bottlenecks = read_bottlenecks(config, weights, where);
  if (kind == AdapterKind::prompt) extras.prompt = read_virtual(config, weights, where);
  if (kind == AdapterKind::prefix) extras.prefix = read_virtual(config, weights, where);
  return extras;
}

}  // namespace malssi
