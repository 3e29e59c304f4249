// GGUF adapters: general.type "adapter", adapter.type "lora", adapter.lora.alpha, and for each weight NAME the tensors
// NAME.lora_a [rank, inputs] and NAME.lora_b [outputs, rank] (of experts: one more axis before). An alpha of 0 means a scale of 1.
#include <cmath>
#include <map>

#include "base/error.h"
#include "io/adapter_formats.h"
#include "io/gguf.h"
#include "io/model_source.h"
#include "io/weight_layout.h"
#include "quant/widen.h"

namespace malssi {
namespace {

constexpr std::string_view kA = ".lora_a", kB = ".lora_b";

void read_pairs(const Gguf& file, AdapterFile& adapter) {
  std::map<std::string_view, AdapterPart> pairs;
  for (const GgufTensor& tensor : file.tensors()) {
    std::string_view name = tensor.name;
    const bool is_a = name.ends_with(kA), is_b = name.ends_with(kB);
    REQUIRE(is_a || is_b, file.where(), ": holds \"", name,
            "\", no .lora_a or .lora_b, which cannot be applied; merge the adapter into its base");
    name.remove_suffix(kA.size());
    REQUIRE(can_widen(tensor.dtype), file.where(), ": \"", tensor.name, "\" is of the type ",
            dtype_name(tensor.dtype), ", which no weights have");
    AdapterPart& part = pairs[name];
    (is_a ? part.a : part.b) = file.borrow(tensor);
  }
  REQUIRE(!pairs.empty(), file.where(), ": holds no tensors, so no adapter");
  for (const auto& [name, part] : pairs) {
    REQUIRE(part.a && part.b, file.where(), ": \"", name, "\" has ",
            part.a ? kA.substr(1) : "lora_b", " but no ", part.a ? "lora_b" : "lora_a",
            ": the adapter is not whole");
    const Shape &a = part.a.shape(), &b = part.b.shape();
    REQUIRE(a.rank() == b.rank() && (a.rank() == 2 || a.rank() == 3) && a[-2] == b[-1] &&
                a[-2] >= 1 && (a.rank() == 2 || a[0] == b[0]),
            file.where(), ": \"", name, "\": A is ", a, " and B ", b,
            "; expected [rank, inputs] and [outputs, rank]");
    const double scale = adapter.alpha == 0 ? 1 : adapter.alpha / static_cast<double>(a[-2]);
    adapter.parts.push_back({std::string(name), part.a, part.b, static_cast<float>(scale)});
  }
}

// One matrix of a stack of experts', or all of a plain one.
Tensor matrix_of(const Tensor& held, const WeightPart& part, const AdapterFile& file) {
  const bool is_stack = part.expert >= 0;
  REQUIRE(held.shape().rank() == (is_stack ? 3 : 2) && (!is_stack || part.expert < held.dim(0)),
          file.where(), ": \"", part.gguf, "\" is adapted by ", held.shape(), "; expected ",
          is_stack ? "experts, rows, columns" : "rows, columns");
  if (!is_stack) return held;
  return held.rows(part.expert, part.expert + 1).view({held.dim(1), held.dim(2)});
}

}  // namespace

std::string without_weight(const std::string& name) {
  constexpr std::string_view kWeight = ".weight";
  return name.ends_with(kWeight) ? name.substr(0, name.size() - kWeight.size()) : name;
}

bool is_gguf_adapter(const fs::path& path) {
  return is_gguf_file(path) && Gguf(path).find_string("general.type") == "adapter";
}

AdapterFile open_gguf_adapter(const fs::path& path) {
  const Gguf file(path);
  AdapterFile adapter{.path = path, .format = AdapterFormat::gguf};
  const std::string kind = file.find_string("adapter.type").value_or("");
  REQUIRE(kind == "lora", file.where(), ": \"adapter.type\" is \"", kind,
          "\"; only \"lora\" is read");
  REQUIRE(file.find("adapter.alora.invocation_tokens") == nullptr, file.where(),
          ": acts only after certain tokens of the prompt, which cannot be applied");
  adapter.architecture = file.find_string("general.architecture").value_or("");
  adapter.base = file.find_string("general.base_model.0.name").value_or("");
  if (const GgufValue* alpha = file.find("adapter.lora.alpha")) {
    const auto number = gguf_number(*alpha);
    REQUIRE(number && std::isfinite(*number), file.where(),
            ": \"adapter.lora.alpha\" is no finite number");
    adapter.alpha = *number;
  }
  adapter.file_bytes = file.file_bytes();
  read_pairs(file, adapter);
  return adapter;
}

std::string gguf_architecture(const Model& model) {
  std::string name;
  gguf_keys(model, [&](const std::string& key, const GgufValue& value) {
    if (const auto* text = gguf_string(value); text && key == "general.architecture") name = *text;
  });
  return name;
}

std::vector<AdapterPart> parts_from_gguf(const AdapterFile& file, Model& model) {
  const std::string architecture = gguf_architecture(model);
  REQUIRE(file.architecture == architecture, file.where(), ": an adapter for the architecture \"",
          file.architecture, "\", but the model is \"", architecture,
          "\": it was made for another base model");
  std::multimap<std::string, ModelPart> places;
  for (const ModelPart& place : parts_of(model)) places.emplace(place.part.gguf, place);
  std::vector<AdapterPart> parts;
  for (const AdapterPart& held : file.parts) {
    const auto [begin, end] = places.equal_range(held.matrix);
    REQUIRE(begin != end, file.where(), ": adapts \"", held.matrix, "\", which a ",
            model.config().family, " model with ", model.config().layers,
            " layers does not have: is it for another base?");
    for (auto at = begin; at != end; ++at) {
      const WeightPart& part = at->second.part;
      AdapterPart published{without_weight(part.name), matrix_of(held.a, part, file),
                            matrix_of(held.b, part, file), held.scale};
      // What does not fit is told by Model::attach().
      if (part.interleaved_heads > 0 && published.b.dim(0) == at->second.shape[0])
        published.b = halves_from_pairs(published.b, part.interleaved_heads);
      parts.push_back(std::move(published));
    }
  }
  return parts;
}

}  // namespace malssi
