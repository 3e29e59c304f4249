#include "io/model_source.h"

#include "base/error.h"
#include "io/gguf_names.h"
#include "io/gguf_tokenizer.h"
#include "io/lazy_tensor.h"
#include "io/llama2c.h"
#include "io/model_folder.h"
#include "io/weight_files.h"
#include "io/weight_layout.h"

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
  source.config = config_from_hf(load_json(config), config.string());
  const auto weights = std::make_shared<const WeightFiles>(WeightFiles::open(folder));
  source.find = [weights](const std::string& name) { return weights->load(name); };
  for (const char* file : {"tokenizer.json", "vocab.json", "encoder.json"})
    if (!source.tokenizer && path_exists(folder / file)) source.tokenizer = load_tokenizer(folder);
  source.chat_template = template_of(folder);
  if (path_exists(folder / "generation_config.json"))
    source.generation = load_json(folder / "generation_config.json");
  return source;
}

// Conv1D weights: Hugging Face's GPT-2 has them transposed.
bool is_transposed(const ModelConfig& config, const Tensor& tensor, std::string_view name) {
  return config.family == "gpt2" && tensor.shape().rank() == 2 &&
         name.find(".h.") != std::string_view::npos;
}

ModelSource open_gguf(const fs::path& path) {
  const auto file = std::make_shared<const Gguf>(path);
  ModelSource source;
  source.where = path.string();
  source.config = config_from_gguf(*file);
  source.find = [file, config = source.config](const std::string& name) {
    const GgufPlace place = gguf_place(config, name);
    const GgufTensor* found = file->find_tensor(place.name);
    if (!found) return Tensor();
    const Tensor tensor = file->borrow(*found);
    if (place.paired_heads > 0) return halves_from_pairs(tensor, place.paired_heads);
    if (is_transposed(config, tensor, name)) return transposed(tensor.to(DType::f32));
    return tensor;
  };
  if (file->find("tokenizer.ggml.model")) {
    const GgufVocabulary vocabulary = read_gguf_vocabulary(*file);
    source.tokenizer = tokenizer_from_gguf(vocabulary, path.string());
    source.chat_template = vocabulary.chat_template;
  }
  return source;
}

// Programs that read GPT-2 want its biases, if only zeros.
void add_zero_biases(const ModelConfig& config, DType dtype, std::vector<LazyTensor>& weights) {
  if (config.family != "gpt2" || config.bias) return;
  for (size_t i = 0, count = weights.size(); i < count; ++i) {
    const std::string& name = weights[i].name;
    const bool is_table = name.find(".wte.") != name.npos || name.find(".wpe.") != name.npos ||
                          name == "lm_head.weight";
    const size_t end = name.rfind(".weight");
    if (is_table || end == name.npos) continue;
    const Shape shape{weights[i].shape[-1]};
    const std::string bias = name.substr(0, end) + ".bias";
    weights.push_back({bias, shape, dtype, [shape, dtype, bias] {
                         return from_f32(Tensor::zeros(shape), dtype, nullptr, bias);
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

std::vector<LazyTensor> published_weights(const ModelSource& source, DType dtype) {
  std::vector<LazyTensor> weights;
  const auto model = make_model(source.config, DType::f32, std::nullopt);
  model->visit([&](const Parameter& p) {
    for (const WeightPart& part : p.parts) {
      const int64_t rows = part.end - part.begin;
      const Shape& whole = p.value->shape();
      const Shape shape = whole.rank() == 1 ? Shape{rows}
                          : part.transposed ? Shape{whole[1], rows}
                                            : Shape{rows, whole[1]};
      weights.push_back({part.name, shape, dtype, [&source, dtype, shape, name = part.name] {
                           const Tensor found = source.find(name);
                           REQUIRE(found.defined(), source.where, ": there is no tensor \"", name,
                                   "\": not a whole ", source.config.family, " model");
                           REQUIRE(found.shape() == shape, source.where, ": tensor \"", name,
                                   "\" is ", found.shape(), ", the configuration makes it ", shape);
                           return from_f32(found.to(DType::f32), dtype, nullptr, name);
                         }});
    }
  });
  add_zero_biases(source.config, dtype, weights);
  return weights;
}

}  // namespace malssi
