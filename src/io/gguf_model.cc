#include "io/gguf_model.h"

#include <algorithm>

#include "base/error.h"
#include "io/gguf_names.h"
#include "io/gguf_tokenizer.h"
#include "io/weight_layout.h"

namespace malssi {
namespace {

constexpr int64_t kQuantVersion = 2;  // of the block formats' layouts

// Of parts and of this writing: not to be copied from another file.
bool is_own_key(std::string_view key) {
  return key.starts_with("split.") || key == "general.alignment" || key == "general.file_type" ||
         key == "general.quantization_version";
}

GgufVocabulary vocabulary_of(const ModelSource& source) {
  GgufVocabulary vocabulary = gguf_vocabulary(*source.tokenizer);
  // The embedding may have more rows than the tokenizer tokens; readers want one token for each.
  const auto rows = static_cast<size_t>(source.config.vocab);
  for (size_t i = vocabulary.tokens.size(); i < rows; ++i) {
    vocabulary.tokens.push_back(concat("[PAD", i, "]"));
    if (!vocabulary.scores.empty()) vocabulary.scores.push_back(0);
    if (!vocabulary.types.empty()) vocabulary.types.push_back(5);
  }
  vocabulary.chat_template = source.chat_template;
  return vocabulary;
}

// Hugging Face's layout to GGUF's.
LazyTensor in_gguf_layout(const ModelConfig& config, const LazyTensor& weight) {
  const GgufPlace place = gguf_place(config, weight.name);
  LazyTensor out{place.name, weight.shape, weight.dtype, weight.load};
  if (place.paired_heads > 0)
    out.load = [load = weight.load, heads = place.paired_heads] {
      return pairs_from_halves(load(), heads);
    };
  const bool is_conv = config.family == "gpt2" && weight.shape.rank() == 2 &&
                       weight.name.find(".h.") != std::string::npos;
  if (is_conv) {
    out.shape = {weight.shape[1], weight.shape[0]};
    out.load = [load = weight.load] { return transposed(load()); };
  }
  return out;
}

}  // namespace

GgufPlan plan_gguf(const ModelSource& source) {
  const ModelConfig& c = source.config;
  GgufPlan plan{source.where, c.family, c.layers, c.heads, c.kv_heads};
  for (const LazyTensor& weight : published_weights(source, DType::f32))
    plan.tensors.push_back(in_gguf_layout(c, weight));
  plan.put_keys = [&source](GgufWriter& writer) {
    put_config(source.config, writer);
    if (source.tokenizer) put_gguf_vocabulary(vocabulary_of(source), writer);
  };
  return plan;
}

GgufPlan plan_gguf(std::shared_ptr<const Gguf> file) {
  GgufPlan plan;
  plan.where = file->where();
  plan.architecture = file->find_string("general.architecture").value_or("");
  const auto count = [&](const char* key) {
    return file->find_int(plan.architecture + key).value_or(0);
  };
  plan.layers = count(".block_count");
  plan.experts = count(".expert_count");
  // A list where layers differ.
  const auto heads = [&](const char* key) {
    const GgufValue* value = file->find(plan.architecture + key);
    if (!value) return int64_t{0};
    if (const auto list = gguf_ints(*value))
      return list->empty() ? 0 : *std::max_element(list->begin(), list->end());
    return gguf_int(*value).value_or(0);
  };
  plan.heads = heads(".attention.head_count");
  plan.kv_heads = heads(".attention.head_count_kv");
  for (const GgufTensor& tensor : file->tensors())
    plan.tensors.push_back({std::string(tensor.name), tensor.shape, tensor.dtype,
                            [file, &tensor] { return file->borrow(tensor); }});
  plan.put_keys = [file](GgufWriter& writer) {
    for (const GgufKey& key : file->keys())
      if (!is_own_key(key.name)) writer.copy(key);
  };
  return plan;
}

std::vector<GgufTarget> plain_targets(const GgufPlan& plan, DType dtype) {
  std::vector<GgufTarget> targets;
  for (const LazyTensor& tensor : plan.tensors) {
    const bool is_matrix = tensor.shape.rank() > 1 && tensor.name.ends_with(".weight");
    const bool is_integer = tensor.dtype == DType::i32 || tensor.dtype == DType::i64;
    targets.push_back({is_integer ? tensor.dtype : is_matrix ? dtype : DType::f32});
  }
  return targets;
}

void write_gguf(const fs::path& path, const GgufPlan& plan, const std::vector<GgufTarget>& targets,
                int64_t file_type, const std::function<void(const LazyTensor&)>& on_tensor) {
  CHECK(targets.size() == plan.tensors.size(), "a target for each tensor");
  GgufWriter writer(path);
  plan.put_keys(writer);
  writer.put("general.file_type", file_type);
  writer.put("general.quantization_version", kQuantVersion);
  for (size_t i = 0; i < targets.size(); ++i)
    writer.announce(plan.tensors[i].name, targets[i].dtype, plan.tensors[i].shape);
  for (size_t i = 0; i < targets.size(); ++i) {
    const LazyTensor& lazy = plan.tensors[i];
    if (on_tensor) on_tensor(lazy);
    Tensor tensor = lazy.load();
    if (tensor.dtype() != targets[i].dtype) {
      const auto* importance = targets[i].importance;
      tensor = from_f32(tensor.to(DType::f32), targets[i].dtype,
                        importance ? importance->data() : nullptr, lazy.name);
    }
    writer.write(tensor.data(), tensor.bytes());
  }
  writer.commit();
}

}  // namespace malssi
