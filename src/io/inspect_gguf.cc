// What a GGUF file holds.
#include "base/error.h"
#include "io/gguf_tokenizer.h"
#include "io/inspect_parts.h"

namespace malssi {
namespace {

// Lists are told by their length.
Json value_json(const GgufValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>)
          return held;
        else
          return concat("list of ", held.size());
      },
      value);
}

Json vocabulary_json(const GgufVocabulary& v) {
  return {{"kind", v.model + (v.pre.empty() ? "" : " (" + v.pre + ")")},
          {"tokens", v.tokens.size()},
          {"merges", v.merges.size()},
          {"pattern", ""},
          {"special", Json::array()},
          {"bos", v.bos_id},
          {"eos", v.eos_id},
          {"pad", v.pad_id}};
}

}  // namespace

void inspect_gguf(const fs::path& path, Json& result) {
  const Gguf file(path);
  result["kind"] = "gguf";
  result["version"] = file.version();
  result["parameters"] = file.parameter_count();
  int64_t bytes = 0;
  for (const GgufTensor& tensor : file.tensors())
    bytes += static_cast<int64_t>(tensor.bytes.size());
  result["memory"] = {{"weights", bytes},
                      {"weights_f32", 4 * file.parameter_count()},
                      {"weights_bf16", 2 * file.parameter_count()},
                      {"training", 16 * file.parameter_count()}};
  try {
    const ModelConfig config = config_from_gguf(file, file.where());
    result["config"] = config_json(config);
    result["memory"]["kv_cache_per_token"] = cache_bytes_per_token(config);
  } catch (const Error& problem) {  // of an architecture this program does not have
    result["config_problem"] = problem.what();
  }
  result["files"] = {{{"name", path.filename().string()}, {"bytes", file.file_bytes()}}};
  if (has_gguf_vocabulary(file)) {
    const GgufVocabulary vocabulary = read_gguf_vocabulary(file);
    result["tokenizer"] = vocabulary_json(vocabulary);
    if (!vocabulary.chat_template.empty()) result["chat_template"] = vocabulary.chat_template;
  }
  result["metadata"] = Json::object();
  for (const GgufKey& key : file.keys())
    result["metadata"][std::string(key.name)] = value_json(*file.find(key.name));
  result["tensors"] = Json::array();
  for (const GgufTensor& tensor : file.tensors()) {
    const auto dims = tensor.shape.dims();
    result["tensors"].push_back({{"name", tensor.name},
                                 {"dtype", dtype_name(tensor.dtype)},
                                 {"shape", std::vector<int64_t>(dims.begin(), dims.end())},
                                 {"bytes", tensor.bytes.size()},
                                 {"file", path.filename().string()}});
  }
}

}  // namespace malssi
