#include "io/inspect.h"

#include "base/error.h"
#include "io/adapter_file.h"
#include "io/checkpoint.h"
#include "io/inspect_parts.h"
#include "io/model_folder.h"
#include "io/model_source.h"
#include "io/torch_file.h"
#include "io/weight_files.h"

namespace malssi {
namespace {

Json tensors_json(const WeightFiles& weights) {
  Json tensors = Json::array();
  for (const auto& file : weights.files())
    for (const Entry& entry : file->entries())
      tensors.push_back({{"name", entry.name},
                         {"dtype", entry.type->name},
                         {"shape", entry.shape},
                         {"bytes", entry.bytes.size()},
                         {"file", file->path().filename().string()}});
  return tensors;
}

// Without masks, tied copies, and biases that are only there for other programs.
int64_t parameter_count(const WeightFiles& weights, const ModelConfig* config) {
  int64_t count = 0;
  weights.for_each([&](const Entry& entry) {
    const bool copy = config && config->tied && entry.name == "lm_head.weight";
    const bool unused =
        config && config->family == "gpt2" && !config->bias && entry.name.ends_with(".bias");
    if (is_parameter(entry) && !copy && !unused) count += entry.count();
  });
  return count;
}

void add_weights(Json& result, const WeightFiles& weights, const ModelConfig* config) {
  const int64_t parameters = parameter_count(weights, config);
  result["parameters"] = parameters;
  Json memory = {{"weights_f32", 4 * parameters},
                 {"weights_bf16", 2 * parameters},
                 {"training", 16 * parameters}};
  if (config) memory["kv_cache_per_token"] = cache_bytes_per_token(*config);
  int64_t bytes = 0;
  weights.for_each([&](const Entry& entry) { bytes += static_cast<int64_t>(entry.bytes.size()); });
  memory["weights"] = bytes;
  result["memory"] = memory;
  result["files"] = Json::array();
  for (const auto& file : weights.files())
    result["files"].push_back(
        {{"name", file->path().filename().string()}, {"bytes", file->file_bytes()}});
}

// The template's style ("jinja": of others), the problem with a broken one, null where there is none.
Json chat_json(const fs::path& folder) {
  try {
    const auto chat = load_chat_template(folder);
    return chat ? Json(chat->style()) : Json();
  } catch (const Error& broken) {
    return broken.what();
  }
}

Json damage_of(const fs::path& folder) {
  try {
    verify_folder(folder);
    return nullptr;
  } catch (const Error& damage) {
    return damage.what();
  }
}

bool has_tokenizer(const fs::path& folder) {
  for (const char* name : {"tokenizer.json", "vocab.json", "encoder.json"})
    if (path_exists(folder / name)) return true;
  return false;
}

void inspect_model(const fs::path& folder, Json& result) {
  const fs::path config_path = folder / "config.json", state = folder / "train_state.json";
  result["kind"] = path_exists(state) ? "checkpoint" : "model";
  if (path_exists(folder / kManifestName)) result["damage"] = damage_of(folder);
  std::optional<ModelConfig> config;
  try {
    config = config_from_hf(load_json(config_path), config_path.string());
    result["config"] = config_json(*config);
  } catch (
      const Error&
          problem) {  // of an architecture this program does not have: the rest is still worth showing
    result["config_problem"] = problem.what();
  }
  const WeightFiles weights = WeightFiles::open(folder);
  add_weights(result, weights, config ? &*config : nullptr);
  if (has_tokenizer(folder)) result["tokenizer"] = tokenizer_json(*load_tokenizer(folder));
  result["chat_template"] = chat_json(folder);
  if (path_exists(state)) result["training"] = load_json(state);
  result["tensors"] = tensors_json(weights);
}

void inspect_run(const fs::path& folder, Json& result) {
  result["kind"] = "run";
  result["models"] = Json::array();
  for (const char* inside : {"model", "best"})
    if (path_exists(folder / inside / "config.json"))
      result["models"].push_back((folder / inside).string());
  result["adapters"] = Json::array();
  for (const char* inside : {"adapter", "best"})
    if (is_adapter(folder / inside)) result["adapters"].push_back((folder / inside).string());
  result["checkpoints"] = Json::array();
  for (const int64_t step : checkpoint_steps(folder)) {
    const fs::path path = checkpoint_folder(folder, step);
    result["checkpoints"].push_back(
        {{"step", step}, {"path", path.string()}, {"damage", damage_of(path)}});
  }
}

void inspect_weights_file(const fs::path& file, Json& result) {
  const WeightFiles weights = WeightFiles::open(file);
  result["kind"] = "weights";
  add_weights(result, weights, nullptr);
  result["metadata"] = weights.files().front()->metadata();
  result["tensors"] = tensors_json(weights);
}

}  // namespace

Json inspect(const fs::path& path) {
  REQUIRE(path_exists(path), "cannot inspect ", path.string(),
          ": no such file or folder: check the path");
  Json result = {{"path", path.string()}};
  if (is_adapter(path)) {
    inspect_adapter(path, result);
  } else if (is_gguf_file(path)) {
    inspect_gguf(path, result);
  } else if (path_exists(path / "config.json")) {
    inspect_model(path, result);
  } else if (path_exists(path / "model" / "config.json") || path_exists(path / "checkpoints")) {
    inspect_run(path, result);
  } else if (path.extension() == ".safetensors" || is_torch_file(path)) {
    inspect_weights_file(path, result);
  } else if (path.extension() == ".bin" && !is_folder(path)) {
    inspect_llama2c(path, result);
  } else if (path.extension() == ".json" || (is_folder(path) && has_tokenizer(path))) {
    result["kind"] = "tokenizer";
    result["tokenizer"] = tokenizer_json(*load_tokenizer(path));
  } else {
    throw Error(concat("cannot inspect ", path.string(),
                       ": neither a model folder, a run, a file of weights (GGUF, safetensors, "
                       "torch.save(), llama2.c), an adapter nor a tokenizer"));
  }
  return result;
}

}  // namespace malssi
