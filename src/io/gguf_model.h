// Models written as GGUF files: which tensors there will be, and what else stands in the file, before anything is loaded.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/gguf.h"
#include "io/gguf_writer.h"
#include "io/lazy_tensor.h"
#include "io/model_source.h"

namespace malssi {

// A classifier's labels, which llama.cpp reads of BERT.
inline constexpr const char* kGgufLabels = "bert.classifier.output_labels";

struct GgufPlan {
  std::string where = {};  // what it comes from
  std::string architecture = {};
  int64_t layers = 0, heads = 0, kv_heads = 0, experts = 0;
  std::vector<LazyTensor> tensors = {};  // under GGUF's names
  std::function<void(GgufWriter&)> put_keys = {};
};

// The source must outlive the plan. Error: a family or tokenizer that GGUF cannot hold.
GgufPlan plan_gguf(const ModelSource& source);
// A GGUF file's own tensors and keys, of whatever architecture.
GgufPlan plan_gguf(std::shared_ptr<const Gguf> file);

// What a tensor becomes: chosen before anything is written.
struct GgufTarget {
  DType dtype = DType::f32;
  const std::vector<float>* importance = nullptr;  // as from_f32() takes it, for block formats
};
// llama.cpp's number for what most tensors of a file are.
inline constexpr int64_t kFileTypeF32 = 0, kFileTypeF16 = 1, kFileTypeBf16 = 32;

// Writes the file whole or not at all. targets: one for each tensor; on_tensor is told before each.
void write_gguf(const fs::path& path, const GgufPlan& plan, const std::vector<GgufTarget>& targets,
                int64_t file_type, const std::function<void(const LazyTensor&)>& on_tensor = {});
// Matrices in `dtype`, everything else in f32.
std::vector<GgufTarget> plain_targets(const GgufPlan& plan, DType dtype);

}  // namespace malssi
