#include "io/model_source.h"

#include <map>

#include "base/error.h"
#include "io/gguf.h"
#include "io/gguf_model.h"
#include "io/gguf_tokenizer.h"
#include "io/lazy_tensor.h"
#include "io/llama2c.h"
#include "io/model_folder.h"
#include "io/pooling.h"
#include "io/weight_files.h"
#include "io/weight_layout.h"
#include "models/classifier.h"
#include "models/value_head.h"

namespace malssi {
namespace {

constexpr std::string_view kGgufMagic = "GGUF";

std::string template_of(const fs::path& folder) {
  const fs::path path = folder / "tokenizer_config.json";
  if (!path_exists(path)) return "";
  const Json config = load_json(path);
  const auto found = config.find("chat_template");
  return found != config.end() && found->is_string() ? found->get<std::string>() : "";
}

ModelSource open_folder(const fs::path& folder) {
  ModelSource source;
  source.where = folder.string();
  const fs::path config = folder / "config.json";
  const Json json = load_json(config);
  source.config = config_from_hf(json, config.string());
  REQUIRE(is_encoder(source.config) || !value_head_from_hf(json, config.string()), folder.string(),
          ": is a reward model, which other formats cannot hold: name a language model");
  source.config.pooling = folder_pooling(folder);
  const auto weights = std::make_shared<const WeightFiles>(WeightFiles::open(folder));
  source.find = [weights](const std::string& name) { return weights->borrow(name); };
  const bool has_scores = weights->find("score.weight") || weights->find("classifier.weight") ||
                          weights->find("classifier.out_proj.weight");
  if (has_scores) source.labels = labels_from_hf(json, config.string());
  for (const char* file :
       {"tokenizer.json", "tokenizer.model", "vocab.json", "encoder.json", "vocab.txt"})
    if (!source.tokenizer && path_exists(folder / file)) source.tokenizer = load_tokenizer(folder);
  source.chat_template = template_of(folder);
  if (path_exists(folder / "generation_config.json"))
    source.generation = load_json(folder / "generation_config.json");
  return source;
}

// Refuses a configuration that asks for far more than the file holds, before memory is taken for it.
void check_claim(const ModelConfig& c, const Gguf& file) {
  const auto number = [](int64_t value) { return static_cast<double>(value); };
  const double held = number(file.parameter_count());
  REQUIRE(number(c.layers) <= held && number(c.context) * number(c.head_dim) <= 2 * held + 5e7,
          file.where(), ": describes ", c.layers, " layers and a context of ", c.context,
          ", beyond belief for ", file.parameter_count(), " parameters: the file is damaged");
}

Tensor shifted(const Tensor& x, float by) {
  const Tensor y = x.to(DType::f32).clone();
  for (int64_t i = 0; i < y.size(); ++i) y.f32()[i] += by;
  return y;
}

// The part out of GGUF's layout.
Tensor published(const Tensor& held, const ModelPart& p, const std::string& where) {
  const WeightPart& part = p.part;
  Tensor tensor = held;
  // llama.cpp's quantiser drops the outer axis of a single row.
  if (p.shape.rank() == 2 && p.shape[0] == 1 && held.shape() == Shape{p.shape[1]})
    tensor = held.view(p.shape);
  if (part.expert >= 0) {
    REQUIRE(held.shape().rank() == 3 && part.expert < held.dim(0), where, ": tensor \"", part.gguf,
            "\" is ", held.shape(), "; expected experts, rows, columns");
    tensor = held.rows(part.expert, part.expert + 1).view({held.dim(1), held.dim(2)});
  }
  if (part.interleaved_heads > 0) {
    REQUIRE(tensor.dim(0) % (2 * part.interleaved_heads) == 0, where, ": tensor \"", part.gguf,
            "\" is ", tensor.shape(), ", no ", part.interleaved_heads, " heads of pairs");
    tensor = halves_from_pairs(tensor, part.interleaved_heads);
  }
  if (part.transposed && tensor.shape().rank() == 2) tensor = transposed(tensor.to(DType::f32));
  return part.added != 0 ? shifted(tensor, -part.added) : tensor;
}

// Takes away the tokens that only make a list as long as the embedding, as writers name them.
void drop_padding(GgufVocabulary& v) {
  constexpr int32_t kUnused = 5;
  while (!v.types.empty() && v.types.back() == kUnused &&
         v.tokens.back() == concat("[PAD", v.tokens.size() - 1, "]")) {
    v.tokens.pop_back();
    v.types.pop_back();
    if (!v.scores.empty()) v.scores.pop_back();
  }
}

// Of a file that has scores; where it names none, as transformers would.
std::optional<Labels> labels_of_file(const Gguf& file) {
  const GgufTensor* scores = file.find_tensor("cls.output.weight");
  const auto architecture = file.find_string("general.architecture");
  if (scores == nullptr || architecture != "bert" || scores->shape.rank() != 2) return {};
  const GgufValue* named = file.find(kGgufLabels);
  Labels labels;
  if (const auto* names = named ? gguf_strings(*named) : nullptr) labels.names = *names;
  const int64_t count = scores->shape[0];
  REQUIRE(labels.names.empty() || labels.size() == count, file.where(), ": \"", kGgufLabels,
          "\" names ", labels.size(), " labels, cls.output.weight scores ", count);
  for (int64_t i = labels.size(); i < count; ++i) labels.names.push_back(concat("LABEL_", i));
  labels.is_regression = count == 1;
  return labels;
}

ModelSource open_gguf(const fs::path& path) {
  const auto file = std::make_shared<const Gguf>(path);
  ModelSource source;
  source.where = path.string();
  REQUIRE(file->find_string("general.type") != "adapter", source.where,
          ": it is an adapter, no model: name its base model here, and the adapter with --lora");
  source.config = config_from_gguf(*file, source.where);
  check_claim(source.config, *file);
  const auto parts = std::make_shared<std::map<std::string, ModelPart>>();
  source.labels = labels_of_file(*file);
  if (source.config.pooling == "rank") source.config.pooling.clear();
  for (const ModelPart& p : parts_of(*outline_of(source))) parts->emplace(p.part.name, p);
  source.find = [file, parts](const std::string& name) {
    const auto part = parts->find(name);
    const GgufTensor* found =
        part == parts->end() ? nullptr : file->find_tensor(part->second.part.gguf);
    return found ? published(file->borrow(*found), part->second, file->where()) : Tensor();
  };
  if (has_gguf_vocabulary(*file)) {
    GgufVocabulary vocabulary = read_gguf_vocabulary(*file);
    drop_padding(vocabulary);
    source.tokenizer = tokenizer_from_gguf(vocabulary, path.string());
    source.chat_template = vocabulary.chat_template;
  }
  return source;
}

// Programs that read GPT-2 want its biases.
void add_zero_biases(const ModelConfig& config, DType dtype, std::vector<LazyTensor>& weights) {
  for (size_t i = 0, count = weights.size(); i < count; ++i) {
    if (!wants_zero_bias(config, weights[i].name)) continue;
    const std::string& name = weights[i].name;
    const std::string bias = name.substr(0, name.rfind(".weight")) + ".bias";
    const Shape shape{weights[i].shape[-1]};
    weights.push_back({bias, shape, dtype, [shape, dtype, bias] {
                         return from_f32(Tensor::zeros(shape), dtype, {}, bias);
                       }});
  }
}

}  // namespace

bool is_gguf_file(const fs::path& path) {
  if (is_folder(path)) return false;
  const MappedFile file = MappedFile::open(path);
  return file.text().starts_with(kGgufMagic);
}

ModelSource open_model(const fs::path& model, const std::optional<fs::path>& tokenizer_file) {
  REQUIRE(path_exists(model), "no model at ", model.string(),
          ": no such file or folder: check the path");
  ModelSource source = is_folder(model)      ? open_folder(find_model(model))
                       : is_gguf_file(model) ? open_gguf(model)
                                             : open_llama2c(model);
  if (tokenizer_file) source.tokenizer = load_tokenizer(*tokenizer_file);
  REQUIRE(!source.tokenizer || source.tokenizer->vocab_size() <= source.config.vocab, source.where,
          ": the tokenizer has ", source.tokenizer->vocab_size(), " tokens, the model only ",
          source.config.vocab, ": they do not belong together");
  return source;
}

Tensor ModelSource::need(const std::string& published, const Shape& shape) const {
  const Tensor found = find(published);
  REQUIRE(found.defined(), where, ": there is no tensor \"", published, "\": not a whole ",
          config.family, " model");
  REQUIRE(found.shape() == shape, where, ": tensor \"", published, "\" is ", found.shape(),
          ", the configuration makes it ", shape);
  return found;
}

std::vector<ModelPart> parts_of(Model& model) {
  std::vector<ModelPart> parts;
  model.visit([&](const Parameter& p) {
    const Shape& whole = p.value->shape();
    for (const WeightPart& part : p.parts) {
      const int64_t rows = part.end - part.begin;
      parts.push_back({part, whole.rank() == 1 ? Shape{rows} : Shape{rows, whole[1]}});
    }
  });
  return parts;
}

std::unique_ptr<Model> outline_of(const ModelSource& source) {
  ModelConfig config = source.config;
  if (source.labels) config.pooling = "rank";  // as GGUF says that the head scores
  auto model = make_model(config, DType::f32, std::nullopt);
  return source.labels ? with_classifier(std::move(model), *source.labels, 0) : std::move(model);
}

bool wants_zero_bias(const ModelConfig& config, std::string_view name) {
  const bool is_table = name.find(".wte.") != name.npos || name.find(".wpe.") != name.npos ||
                        name == "lm_head.weight";
  return config.family == "gpt2" && !config.bias && !is_table && name.ends_with(".weight");
}

std::vector<LazyTensor> published_weights(const ModelSource& source, DType dtype) {
  std::vector<LazyTensor> weights;
  for (const ModelPart& p : parts_of(*outline_of(source))) {
    const Shape shape = p.published_shape();
    weights.push_back({p.part.name, shape, dtype, [&source, dtype, shape, name = p.part.name] {
                         return from_f32(source.need(name, shape).to(DType::f32), dtype, {}, name);
                       }});
  }
  add_zero_biases(source.config, dtype, weights);
  return weights;
}

}  // namespace malssi
