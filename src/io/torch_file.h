// What torch.save() writes since PyTorch 1.6: a zip archive (zip.h) of one pickle, which is read and never run (pickle.h), and of
// each storage's numbers: adapter_model.bin, pytorch_model.bin.
#pragma once

#include "io/tensor_file.h"

namespace malssi {

// A dictionary of tensors, mapped and checked. Throws Error: an older or damaged file, other objects than tensors, a tensor whose
// numbers do not lie one after the other, or outside of its storage.
class TorchFile : public TensorFile {
 public:
  explicit TorchFile(const fs::path& file);
};

// By its first bytes; false for what is no file.
bool is_torch_file(const fs::path& path);

}  // namespace malssi
