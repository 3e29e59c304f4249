// A model wherever it is kept, opened but not loaded: a Hugging Face folder, a GGUF file, or llama2.c's legacy .bin. Weights
// are found under Hugging Face's names, each loaded when asked for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "io/lazy_tensor.h"
#include "models/classifier.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

struct ModelSource {
  std::string where;
  ModelConfig config;
  std::optional<Labels> labels = {};  // of a classifier
  // Of any dtype, in Hugging Face's layout; undefined where there is none of this name. A mapped file lends its tensors.
  std::function<Tensor(const std::string& published)> find;
  std::unique_ptr<Tokenizer> tokenizer;  // null where there is none
  std::string chat_template;             // Jinja, or empty
  Json generation = Json::object();

  // The tensor, which must be there and have this shape: Error.
  Tensor need(const std::string& published, const Shape& shape) const;
};

// A file is GGUF or llama2.c's by its first bytes. Error: what is missing or damaged. tokenizer_file: a tokenizer beside the
// model, in place of its own; llama2.c's models have none.
ModelSource open_model(const fs::path& model,
                       const std::optional<fs::path>& tokenizer_file = std::nullopt);
bool is_gguf_file(const fs::path& path);

// A weight as files name it, with the shape that it has in this program.
struct ModelPart {
  WeightPart part;
  Shape shape;
  Shape published_shape() const { return part.transposed ? Shape{shape[1], shape[0]} : shape; }
};
// All of a model's, in its order.
std::vector<ModelPart> parts_of(Model& model);
// Without weights of its own (a head's are of no meaning): for its parts and what config.json says.
std::unique_ptr<Model> outline_of(const ModelSource& source);

// Whether programs that read this family want biases that the model has not, if only zeros; of this weight.
bool wants_zero_bias(const ModelConfig& config, std::string_view published);

// All weights in Hugging Face's names and layout, in `dtype` (f32, f16, bf16), loaded when written.
std::vector<LazyTensor> published_weights(const ModelSource& source, DType dtype);

}  // namespace malssi
