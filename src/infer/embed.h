// Embeddings of texts: one vector for each, from the last layer of an encoder or decoder (Reimers, Gurevych 2019).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

enum class Pooling {
  cls,   // the first token's vector
  mean,  // the mean of all tokens' vectors
  last,  // the last token's vector
};
enum class VectorLength { any, one };

struct EmbedOptions {
  Pooling pooling = Pooling::mean;
  VectorLength length = VectorLength::any;  // one: divided by their L2 norm
  AdapterMix adapters = {};                 // of the model
};

// "cls", "mean" or "last". Throws Error for another name.
Pooling pooling_named(std::string_view name);
// How a model's embeddings are meant: as its config's pooling says, else the mean for encoders and the last token for decoders; of
// length 1 where its folder says so. Throws Error for poolings that are not known here.
EmbedOptions embed_options(const fs::path& model, const ModelConfig& config);

// A text's ids with what the tokenizer puts around them. Throws Error where there are none.
std::vector<int32_t> embed_ids(const Tokenizer& tokenizer, std::string_view text);
// As many ids as the context holds: the end is cut off, but for the last id of an encoder's text, which marks its end.
void truncate_ids(std::vector<int32_t>& ids, const ModelConfig& config);

// Vectors [texts, width], f32. Throws Error where a text is empty or longer than the model's context.
Tensor embed(Model& model, const std::vector<std::vector<int32_t>>& texts,
             const EmbedOptions& options);

}  // namespace malssi
