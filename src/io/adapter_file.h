// LoRA adapters (Hu et al. 2021) in files: a PEFT folder (adapter_config.json, adapter_model.safetensors), or a GGUF file with
// general.type "adapter". What cannot be honoured (DoRA, biases, whole weights, embeddings) is refused in one line.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "models/adapter.h"
#include "models/model.h"

namespace malssi {

enum class AdapterFormat { peft, gguf };

// An adapter as its file has it: names and the order of rows are the format's; of a mixture's experts GGUF has all in one part.
struct AdapterFile {
  fs::path path;
  AdapterFormat format = AdapterFormat::peft;
  std::string base = {};          // the model it was made for, as it says; or empty
  std::string architecture = {};  // GGUF's
  double alpha = 0;
  std::vector<AdapterPart> parts = {};
  Tensor score = {};  // of a reward model: the value head [1, width]
  int64_t file_bytes = 0;

  std::string where() const { return path.string(); }
  int64_t parameter_count() const;
};

bool is_adapter(const fs::path& path);
// The adapter that a path means: itself, or a run's adapter/ or best/.
fs::path find_adapter(const fs::path& path);
// Numbers stay in the file, which remains mapped. Error: no adapter, a damaged one, or one of a kind that is refused.
AdapterFile open_adapter(const fs::path& adapter_or_run);

// Under Hugging Face's names and in their order of rows, for this model. Error: GGUF's is for another architecture; a value head,
// of which the model has none. A model that has one takes its numbers.
Adapter fit_adapter(const AdapterFile& file, Model& model);
// Opens it and attaches it; returns its number in the model.
int64_t attach_adapter(Model& model, const fs::path& path);

// What a PEFT folder says about an adapter, besides its numbers.
struct PeftSettings {
  std::string base = {};  // the model it is for
  int64_t rank = 8;
  double alpha = 16;
  bool is_stabilised = false;  // rsLoRA: the scale is alpha / sqrt(rank)
  double dropout = 0;
};
// Writes train_adapter()'s matrices, in f32, and their settings into the staging() of an AtomicFolder. Matrices that files hold
// transposed (GPT-2's) are told so.
void write_peft_files(const fs::path& folder, Model& model,
                      const std::vector<Parameter>& parameters, const PeftSettings& settings);
// Takes the numbers back from such a folder. Error: one is missing or has another shape.
void read_peft_weights(const fs::path& folder, const std::vector<Parameter>& parameters);

// Writes it as a GGUF file in f32, for the model (whose weights are not looked at). Error: a family that GGUF does not have, or
// experts of one layer whose ranks differ.
void write_gguf_adapter(const fs::path& to, const AdapterFile& file, Model& model);

}  // namespace malssi
