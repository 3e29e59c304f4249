// A model whose weights stay as they are while an adapter beside them is trained, whatever the adapter learns from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/adapter_file.h"
#include "train/run/trained.h"
#include "train/tune/lora_config.h"
#include "train/tune/student.h"

namespace malssi {

struct FrozenOptions {
  std::string chat_template = "";  // a style; empty = the model's own, else the default
  DType compute = DType::f32;      // of dense weights
  PackedTypes packed = {};
};

// A folder, run or GGUF file; quantised weights stay so. Throws Error: also where the tokenizer lacks a token of the chat
// template, as an adapter brings none.
Student load_frozen(const fs::path& model, const FrozenOptions& options);

// Fresh low-rank matrices. Error: no matrix is a target; DoRA of a principal part.
Adapter make_lora(Model& model, const LoraSettings& lora, uint64_t seed);

// A fresh adapter of the student, with the value head where there is one. base: the model it is for.
Trained begin_lora(Student& student, const LoraSettings& lora, uint64_t seed,
                   const std::string& base);

// What its files say.
PeftSettings peft_settings(const LoraSettings& lora, const std::string& base);

}  // namespace malssi
