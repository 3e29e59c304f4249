#include "io/weight_files.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/error.h"

namespace malssi {
namespace {

constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kPickled = "pytorch_model.bin";
constexpr int64_t kMaxIndex = int64_t{256} << 20;

// Says what stands in the place of weights, for the reader who is about to look for them.
[[noreturn]] void fail_without_weights(const fs::path& folder) {
  std::string hint = "train a model into it, or name the folder that holds model.safetensors";
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string kind = entry.path().extension().string();
    if (kind == ".bin" || kind == ".pt" || kind == ".pth" || kind == ".ckpt")
      hint = concat("its ", name, " may be a pickle; those named ", kPickled, " are read");
    else if (kind == ".gguf")
      hint = "it holds " + name + "; only safetensors are read so far";
    else if (kind == ".safetensors")
      hint = "name the file itself (" + name + "), or rename it to model.safetensors";
  }
  throw Error(concat(folder.string(), ": a model folder without weights (no ", kSingle, ", no ",
                     kIndex, "): ", hint));
}

// Shard file name -> names of its tensors.
using Shards = std::map<std::string, std::vector<std::string>>;

Shards read_index(const fs::path& path) {
  const std::string where = path.string();
  const Json index = parse_json(read_file(path, kMaxIndex), where);
  const Json names = get<Json>(index, "weight_map", where);
  REQUIRE(names.is_object() && !names.empty(), where, ": \"weight_map\" lists no tensors");
  Shards shards;
  for (const auto& [name, file] : names.items()) {
    REQUIRE(file.is_string(), where, ": \"weight_map\": \"", name, "\" is ", json_kind(file),
            ", expected a file name");
    const std::string shard = file.get<std::string>();
    REQUIRE(shard.ends_with(".safetensors") && fs::path(shard).filename() == shard &&
                shard.find('\0') == shard.npos,
            where, ": \"", shard, "\" is not the plain name of a .safetensors file in this folder");
    shards[shard].push_back(name);
  }
  return shards;
}

}  // namespace

bool is_parameter(const Entry& entry) {
  const std::string& name = entry.name;
  return !name.ends_with(".attn.bias") && !name.ends_with(".attn.masked_bias") &&
         !name.ends_with(".rotary_emb.inv_freq");
}

WeightFiles WeightFiles::open(const fs::path& folder_or_file) {
  WeightFiles weights;
  const auto add = [&](const fs::path& path) -> const TensorFile& {
    return *weights.files_.emplace_back(open_tensor_file(path));
  };
  if (!is_folder(folder_or_file)) {
    add(folder_or_file);
    return weights;
  }
  const fs::path index = folder_or_file / kIndex;
  if (path_exists(folder_or_file / kSingle)) {
    add(folder_or_file / kSingle);
  } else if (path_exists(index)) {
    for (const auto& [shard, names] : read_index(index)) {
      const TensorFile& file = add(folder_or_file / shard);
      for (const std::string& name : names)
        REQUIRE(file.find(name), index.string(), ": lists \"", name, "\" in ", shard,
                ", which does not hold it: the files do not belong together");
    }
  } else if (path_exists(folder_or_file / kPickled)) {
    add(folder_or_file / kPickled);
  } else {
    fail_without_weights(folder_or_file);
  }
  return weights;
}

const Entry* WeightFiles::find(std::string_view name) const {
  const auto exactly = [&](std::string_view wanted) -> const Entry* {
    for (const auto& file : files_)
      if (const Entry* entry = file->find(wanted)) return entry;
    return nullptr;
  };
  if (const Entry* entry = exactly(name)) return entry;
  for (const std::string_view prefix :
       {"transformer.", "model.", "bert.", "roberta.", "distilbert."})
    if (name.starts_with(prefix))
      if (const Entry* entry = exactly(name.substr(prefix.size()))) return entry;
  // The language part of a model that also sees images.
  if (!name.starts_with("model.")) return nullptr;
  const std::string_view rest = name.substr(std::string_view("model.").size());
  if (const Entry* entry = exactly(concat("language_model.", name))) return entry;
  return exactly(concat("model.language_model.", rest));
}

Tensor WeightFiles::load(std::string_view name) const {
  const Entry* entry = find(name);
  return entry ? load_tensor(*entry, files_.front()->path().parent_path().string()) : Tensor();
}

Tensor WeightFiles::borrow(std::string_view name) const {
  const Entry* entry = find(name);
  for (const auto& file : files_)
    if (entry && entry >= file->entries().data() &&
        entry < file->entries().data() + file->entries().size())
      return file->borrow(*entry);
  return Tensor();
}

void WeightFiles::for_each(const std::function<void(const Entry&)>& visitor) const {
  for (const auto& file : files_)
    for (const Entry& entry : file->entries()) visitor(entry);
}

int64_t WeightFiles::element_count() const {
  int64_t count = 0;
  for_each([&](const Entry& entry) { count += entry.count(); });
  return count;
}

int64_t WeightFiles::file_bytes() const {
  int64_t bytes = 0;
  for (const auto& file : files_) bytes += file->file_bytes();
  return bytes;
}

}  // namespace malssi
