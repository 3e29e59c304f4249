// A model written as a Hugging Face folder from wherever it is kept, tensor by tensor.
#pragma once

#include "io/model_source.h"

namespace malssi {

struct FolderOptions {
  DType dtype = DType::f32;  // f32, f16 or bf16
  int64_t shard_bytes =
      0;  // larger models in several files of at most so many bytes each (or one tensor); 0: one file
};

// The whole folder or nothing. Error: the folder exists and holds something else.
void write_hf_folder(const fs::path& folder, const ModelSource& source,
                     const FolderOptions& options = {});

}  // namespace malssi
