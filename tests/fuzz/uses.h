// What a reader's result is put to.
#pragma once

#include "io/tensor_file.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi::fuzz {

// Encodes the text, decodes the ids, whole and one by one, and writes the vocabulary as other files have it.
void use(const Tokenizer& tokenizer, std::string_view text);
// A pass over a few tokens. Larger models than a fuzzer's are left alone.
void use(Model& model);
// Borrows and copies every tensor.
void use(const TensorFile& file);
bool is_small(const ModelConfig& config);

// A model's smallest configuration with rows that block formats hold, and its tokenizer.
ModelConfig small_config(const std::string& family, int64_t width = 32);
std::unique_ptr<Tokenizer> small_tokenizer();

}  // namespace malssi::fuzz
