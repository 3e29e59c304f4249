// Adapters in files: a PEFT folder (adapter_config.json, adapter_model.safetensors) of the kinds that peft_kind() names, or a GGUF
// file with general.type "adapter" (LoRA). What cannot be honoured (biases, whole weights, embeddings) is refused in one line.
//
// Bottleneck adapters, which PEFT does not have, are a folder of the same layout: peft_type "BOTTLENECK", "non_linearity" (relu or
// gelu), "scaling", and after a matrix M the tensors base_model.model.M.adapter_down.weight [inner, outputs], its bias [inner], and
// base_model.model.M.adapter_up.weight [outputs, inner], its bias: y + scaling up(non_linearity(down(y))).
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "models/adapter.h"
#include "models/model.h"

namespace malssi {

enum class AdapterFormat { peft, gguf };
enum class AdapterKind { lora, ia3, prompt, prefix, norms, bottleneck };
// As adapter_config.json's peft_type: "LORA", "IA3", ...
std::string_view peft_kind(AdapterKind kind);

// An adapter as its file has it: names and the order of rows are the format's; of a mixture's experts GGUF has all in one part.
struct AdapterFile {
  fs::path path;
  AdapterFormat format = AdapterFormat::peft;
  AdapterKind kind = AdapterKind::lora;
  std::string base = {};          // the model it was made for, as it says; or empty
  std::string base_digest = {};   // of that model's weights (see weights_digest); or empty
  std::string architecture = {};  // GGUF's
  double alpha = 0;
  std::vector<AdapterPart> parts = {};
  AdapterExtras extras = {};
  // What replaces the base's output layer, whole, under published names: a reward model's "score.weight" [1, width], or a
  // classifier's layers.
  std::vector<NamedTensor> head = {};
  int64_t file_bytes = 0;

  std::string where() const { return path.string(); }
  int64_t parameter_count() const;
  // Rows of the head's last matrix: 1 of a reward model, 0 without a head.
  int64_t labels() const;
};

bool is_adapter(const fs::path& path);
// The adapter that a path means: itself, or a run's adapter/ or best/.
fs::path find_adapter(const fs::path& path);
// Numbers stay in the file, which remains mapped. Error: no adapter, a damaged one, or one of a kind that is refused.
AdapterFile open_adapter(const fs::path& adapter_or_run);

// Under Hugging Face's names and in their order of rows, for this model. Error: GGUF's is for another architecture; a head, of
// which the model has none. A model that has one takes its numbers.
Adapter fit_adapter(const AdapterFile& file, Model& model);
// Opens it and attaches it; returns its number in the model.
int64_t attach_adapter(Model& model, const fs::path& path);

// What a PEFT folder says about an adapter, besides its numbers.
struct PeftSettings {
  AdapterKind kind = AdapterKind::lora;
  std::string base = {};         // the model it is for
  std::string base_digest = {};  // see AdapterFile
  int64_t rank = 8;
  double alpha = 16;
  bool is_stabilised = false;  // rsLoRA: the scale is alpha / sqrt(rank)
  double dropout = 0;
  bool has_magnitudes = false;      // DoRA
  std::string activation = "relu";  // of a bottleneck
  double scaling = 1;               // of a bottleneck
};
// Writes train_adapter()'s tensors, in f32, and their settings into the staging() of an AtomicFolder. Matrices that files hold
// transposed (GPT-2's) are told so. start: principal parts as they began, or nothing: the trained matrices minus them are saved as
// matrices of twice the rank, which every program adds to the base as it is.
void write_peft_files(const fs::path& folder, Model& model,
                      const std::vector<Parameter>& parameters, const PeftSettings& settings,
                      const std::vector<AdapterPart>& start = {});
// Takes the numbers back from such a folder, those of start, too. Error: one is missing or has another shape.
void read_peft_weights(const fs::path& folder, const std::vector<Parameter>& parameters,
                       const std::vector<AdapterPart>& start = {});

// Writes it as a GGUF file in f32, for the model (whose weights are not looked at). Error: a family that GGUF does not have, or
// experts of one layer whose ranks differ.
void write_gguf_adapter(const fs::path& to, const AdapterFile& file, Model& model);

}  // namespace malssi
