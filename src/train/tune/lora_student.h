// A model whose weights stay as they are while an adapter beside them is trained, whatever the adapter learns from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/adapter_file.h"
#include "train/tune/lora_config.h"
#include "train/tune/student.h"

namespace malssi {

// A folder, run or GGUF file; quantised weights stay so, dense ones are converted to `compute`. chat_template: a style; empty =
// the model's own, else the default. Throws Error: also where the tokenizer lacks a token of the chat template, as an adapter
// brings none.
Student load_frozen(const fs::path& model, const std::string& chat_template, DType compute);

// A fresh adapter on the model, all of whose own weights are frozen: what is trained, with the value head where there is one.
// Error: no matrix is a target.
std::vector<Parameter> begin_adapter(Model& model, const LoraSettings& lora, uint64_t seed);

// What its files say. base: the model it is for.
PeftSettings peft_settings(const LoraSettings& lora, const std::string& base);

}  // namespace malssi
