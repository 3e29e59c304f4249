// A frozen model that a student learns from.
#pragma once

#include <memory>
#include <string>

#include "data/batches.h"
#include "io/model_folder.h"

namespace malssi {

class Teacher {
 public:
  // A folder, run or GGUF file; quantised weights stay so. Throws Error where its tokenizer is another than `tokenizer`, or its
  // context is below `context` tokens.
  Teacher(const fs::path& model, DType compute, const Tokenizer& tokenizer, int64_t context);

  // Ids that both tokenizers have.
  int64_t known() const { return known_; }
  // After each of the batch's tokens, for logits().
  Tensor hidden(const Batch& batch) const;
  Tensor logits(const Tensor& hidden) const;

 private:
  LoadedModel loaded_;
  int64_t known_ = 0;
};

}  // namespace malssi
