// Parts of what inspect() shows, shared by its readers.
#pragma once

#include "base/json.h"
#include "models/model.h"
#include "text/tokenizer.h"

namespace malssi {

Json config_json(const ModelConfig& config);
Json tokenizer_json(const Tokenizer& tokenizer);
// Bytes of keys and values for one token, by the type they are kept in.
Json cache_bytes_per_token(const ModelConfig& config);

// Adds what a GGUF file holds to result: kind "gguf", its version and metadata, and what a folder's has.
void inspect_gguf(const fs::path& file, Json& result);
// What a model of llama2.c holds: kind "llama2c"; its tensors by Hugging Face's names.
void inspect_llama2c(const fs::path& file, Json& result);
// Adds what a LoRA adapter holds: kind "adapter", its settings under "adapter", and its tensors.
void inspect_adapter(const fs::path& path, Json& result);

}  // namespace malssi
