#include "io/gguf_model.h"

#include <algorithm>
#include <map>

#include "base/error.h"
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

// A weight in GGUF's layout, in f32.
Tensor in_gguf_layout(const ModelSource& source, const ModelPart& p) {
  Tensor tensor = source.need(p.part.name, p.published_shape()).to(DType::f32);
  if (p.part.transposed && p.shape.rank() == 2) tensor = transposed(tensor);
  if (p.part.interleaved_heads > 0) tensor = pairs_from_halves(tensor, p.part.interleaved_heads);
  if (p.part.added == 0) return tensor;
  tensor = tensor.clone();
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.f32()[i] += p.part.added;
  return tensor;
}

// The matrices of all experts in one.
Tensor stacked(const ModelSource& source, const std::vector<ModelPart>& experts,
               const Shape& shape) {
  Tensor whole = Tensor::empty(shape);
  for (const ModelPart& expert : experts)
    whole.rows(expert.part.expert, expert.part.expert + 1)
        .copy_from(in_gguf_layout(source, expert));
  return whole;
}

void plan_weights(const ModelSource& source, Model& model, std::vector<LazyTensor>& tensors) {
  std::map<std::string, std::vector<ModelPart>> stacks;  // of experts, by GGUF's name
  for (const ModelPart& p : parts_of(model)) {
    const std::string& name = p.part.gguf;
    REQUIRE(!name.empty(), source.where, ": the weight \"", p.part.name, "\" of a ",
            source.config.family, " model has no place in a GGUF file");
    if (p.part.expert >= 0) {
      if (stacks[name].empty()) tensors.push_back({.name = name});
      stacks[name].push_back(p);
      continue;
    }
    tensors.push_back(
        {name, p.shape, DType::f32, [&source, p] { return in_gguf_layout(source, p); }});
    if (wants_zero_bias(source.config, p.part.name))
      tensors.push_back({name.substr(0, name.rfind(".weight")) + ".bias",
                         {p.shape[0]},
                         DType::f32,
                         [rows = p.shape[0]] { return Tensor::zeros({rows}); }});
  }
  for (LazyTensor& tensor : tensors) {
    const auto found = stacks.find(tensor.name);
    if (found == stacks.end()) continue;
    const auto& experts = found->second;
    const auto count = static_cast<int64_t>(experts.size());
    tensor.shape = {count, experts[0].shape[0], experts[0].shape[1]};
    tensor.load = [&source, experts, shape = tensor.shape] {
      return stacked(source, experts, shape);
    };
  }
}

}  // namespace

GgufPlan plan_gguf(const ModelSource& source) {
  const ModelConfig& c = source.config;
  REQUIRE(
      !source.labels || c.family == "bert", source.where, ": is a ", c.family,
      " classifier, and those who read GGUF know the heads of BERT alone: keep the folder, which "
      "transformers reads, or convert the model that it was tuned from");
  REQUIRE(!source.labels || source.labels->ngrams.kind == NgramKind::none, source.where,
          ": scores n-grams beside its head, which GGUF cannot hold: convert a classifier trained "
          "without --ngrams");
  REQUIRE(!source.labels || source.labels->pooling == LabelPooling::one_token, source.where,
          ": is a classifier on the mean of all tokens, and in GGUF a head looks at the first: "
          "keep the folder");
  const std::shared_ptr<Model> model = outline_of(source);
  GgufPlan plan{source.where, "", c.layers, c.heads, c.kv_heads, c.experts};
  gguf_keys(*model, [&](const std::string& key, const GgufValue& value) {
    if (const auto* text = gguf_string(value); text && key == "general.architecture")
      plan.architecture = *text;
  });
  plan_weights(source, *model, plan.tensors);
  for (const NamedTensor& extra : gguf_extra_tensors(*model))
    plan.tensors.push_back({extra.name, extra.value.shape(), extra.value.dtype(),
                            [value = extra.value] { return value; }});
  plan.put_keys = [&source, model](GgufWriter& writer) {
    gguf_keys(*model,
              [&](const std::string& key, const GgufValue& value) { writer.put(key, value); });
    if (source.labels) writer.put(kGgufLabels, source.labels->names);
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
                        importance ? std::span<const float>(*importance) : std::span<const float>(),
                        lazy.name);
    }
    writer.write(tensor.data(), tensor.bytes());
  }
  writer.commit();
}

}  // namespace malssi
