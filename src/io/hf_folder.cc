#include "io/hf_folder.h"

#include <cstdio>

#include "base/error.h"
#include "io/safetensors.h"

namespace malssi {
namespace {

std::string shard_name(size_t number, size_t count) {
  char name[64];
  std::snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", number, count);
  return name;
}

int64_t bytes_of(const LazyTensor& tensor) {
  return dtype_bytes(tensor.dtype, tensor.shape.size());
}

std::vector<std::vector<LazyTensor>> in_shards(std::vector<LazyTensor> weights, int64_t limit) {
  std::vector<std::vector<LazyTensor>> shards(1);
  int64_t bytes = 0;
  for (LazyTensor& weight : weights) {
    const int64_t more = bytes_of(weight);
    if (limit > 0 && bytes + more > limit && !shards.back().empty()) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += more;
    shards.back().push_back(std::move(weight));
  }
  return shards;
}

void write_weights(const fs::path& folder, const ModelSource& source,
                   const FolderOptions& options) {
  const auto shards = in_shards(published_weights(source, options.dtype), options.shard_bytes);
  const Json metadata = {{"format", "pt"}};
  if (shards.size() == 1)
    return write_safetensors(folder / "model.safetensors", shards.front(), metadata,
                             Durability::later);
  Json map = Json::object();
  int64_t total = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(i + 1, shards.size());
    for (const LazyTensor& tensor : shards[i]) {
      map[tensor.name] = name;
      total += bytes_of(tensor);
    }
    write_safetensors(folder / name, shards[i], metadata, Durability::later);
  }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  write_file(folder / "model.safetensors.index.json", dump_json(index, 2) + "\n",
             Durability::later);
}

std::string_view torch_name(DType dtype) {
  return dtype == DType::f32 ? "float32" : dtype == DType::f16 ? "float16" : "bfloat16";
}

}  // namespace

void write_hf_folder(const fs::path& folder, const ModelSource& source,
                     const FolderOptions& options) {
  AtomicFolder whole(folder);
  const auto write_json = [&](const char* name, const Json& json) {
    write_file(whole.staging() / name, dump_json(json, 2) + "\n", Durability::later);
  };
  const std::unique_ptr<Model> outline = outline_of(source);
  Json config = outline->hf_config();
  if (source.labels) put_labels(*outline, config);
  config["torch_dtype"] = torch_name(options.dtype);
  write_json("config.json", config);
  if (source.tokenizer) {
    write_json("tokenizer.json", source.tokenizer->to_json());
    write_json("tokenizer_config.json",
               tokenizer_config(*source.tokenizer, source.chat_template, source.config.context));
  }
  if (!source.generation.empty()) write_json("generation_config.json", source.generation);
  write_weights(whole.staging(), source, options);
  whole.commit();
}

}  // namespace malssi
