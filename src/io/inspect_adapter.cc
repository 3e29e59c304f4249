// What an adapter holds.
#include <algorithm>
#include <set>

#include "io/adapter_formats.h"
#include "io/inspect_parts.h"

namespace malssi {
namespace {

// The last word of a matrix's name, "q_proj" or "attn_q": what the adapter's maker aimed at.
std::string target_of(std::string name) {
  constexpr std::string_view kWeight = ".weight";
  if (name.ends_with(kWeight)) name.resize(name.size() - kWeight.size());
  const size_t dot = name.rfind('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

Json tensor_json(const std::string& name, const Tensor& tensor, const std::string& file) {
  const auto dims = tensor.shape().dims();
  return {{"name", name},
          {"dtype", dtype_name(tensor.dtype())},
          {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
          {"bytes", tensor.bytes()},
          {"file", file}};
}

// Kinds other than LoRA: the tensors of the file as they are.
void inspect_extras(const AdapterFile& file, Json& result) {
  const fs::path path = peft_weights(file.path);
  const std::string name = path.filename().string();
  const auto weights = open_tensor_file(path);
  result["tensors"] = Json::array();
  for (const Entry& entry : weights->entries())
    result["tensors"].push_back(tensor_json(entry.name, weights->borrow(entry), name));
  result["kind"] = "adapter";
  result["parameters"] = file.parameter_count();
  result["files"] = {{{"name", name}, {"bytes", file.file_bytes}}};
  result["adapter"] = {{"format", "PEFT"},
                       {"type", peft_kind(file.kind)},
                       {"base", file.base},
                       {"architecture", ""}};
}

}  // namespace

void inspect_adapter(const fs::path& path, Json& result) {
  const AdapterFile file = open_adapter(path);
  if (file.kind != AdapterKind::lora) return inspect_extras(file, result);
  const std::string name = file.format == AdapterFormat::gguf
                               ? path.filename().string()
                               : peft_weights(file.path).filename().string();
  std::set<int64_t> ranks;
  std::set<std::string> targets;
  float least = file.parts.front().scale, most = least;
  result["tensors"] = Json::array();
  for (const AdapterPart& part : file.parts) {
    ranks.insert(part.a.dim(-2));
    targets.insert(target_of(part.matrix));
    least = std::min(least, part.scale);
    most = std::max(most, part.scale);
    result["tensors"].push_back(tensor_json(part.matrix + " A", part.a, name));
    result["tensors"].push_back(tensor_json(part.matrix + " B", part.b, name));
    if (part.magnitude)
      result["tensors"].push_back(tensor_json(part.matrix + " magnitude", part.magnitude, name));
  }
  for (const NamedTensor& part : file.head)
    result["tensors"].push_back(tensor_json(part.name, part.value, name));
  result["kind"] = "adapter";
  result["parameters"] = file.parameter_count();
  result["files"] = {{{"name", name}, {"bytes", file.file_bytes}}};
  result["adapter"] = {{"format", file.format == AdapterFormat::gguf ? "GGUF" : "PEFT"},
                       {"type", "lora"},
                       {"base", file.base},
                       {"architecture", file.architecture},
                       {"ranks", ranks},
                       {"alpha", file.alpha},
                       {"scales", {least, most}},
                       {"matrices", file.parts.size()},
                       {"targets", targets}};
}

}  // namespace malssi
