// What a model of llama2.c holds.
#include "io/inspect_parts.h"
#include "io/llama2c.h"

namespace malssi {

void inspect_llama2c(const fs::path& path, Json& result) {
  const ModelSource source = open_llama2c(path);
  const int64_t parameters = outline_of(source)->parameter_count();
  result["kind"] = "llama2c";
  result["config"] = config_json(source.config);
  result["parameters"] = parameters;
  result["memory"] = {{"weights", 4 * parameters},
                      {"weights_f32", 4 * parameters},
                      {"weights_bf16", 2 * parameters},
                      {"training", 16 * parameters},
                      {"kv_cache_per_token", cache_bytes_per_token(source.config)}};
  const std::string name = path.filename().string();
  result["files"] = {{{"name", name}, {"bytes", fs::file_size(path)}}};
  result["tensors"] = Json::array();
  for (const LazyTensor& tensor : published_weights(source, DType::f32)) {
    Json shape = Json::array();
    for (int axis = 0; axis < tensor.shape.rank(); ++axis) shape.push_back(tensor.shape[axis]);
    result["tensors"].push_back({{"name", tensor.name},
                                 {"dtype", "F32"},
                                 {"shape", shape},
                                 {"bytes", 4 * tensor.shape.size()},
                                 {"file", name}});
  }
}

}  // namespace malssi
