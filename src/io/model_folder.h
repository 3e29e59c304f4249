// Models as Hugging Face folders: config.json, model.safetensors (or shards), tokenizer.json,
// tokenizer_config.json with the chat template, generation_config.json and a model card README.md.
// Read and written, so that transformers, llama.cpp and vLLM read what is made here.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "models/classifier.h"
#include "models/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

struct LoadedModel {
  std::unique_ptr<Model> model;
  std::unique_ptr<Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat;
  std::string chat_problem;  // why there is no chat: none in the folder, or a broken one
  Json generation = Json::object();
  AdapterMix adapters = {};  // that were attached to the model, to be used by default

  // The chat template. Error: there is none, with the reason.
  const ChatTemplate& dialogue() const;
};

// The folder with config.json that a path means: itself, or a run's model/, best/ or checkpoints/latest. Error: there is none.
fs::path find_model(const fs::path& folder);

// The folder's chat template, from its tokenizer_config.json or a chat_template.jinja beside it;
// nothing where there is none. Error: one that cannot be read.
std::optional<ChatTemplate> load_chat_template(const fs::path& folder);

// A folder, or a GGUF file. compute: the precision that the weights are converted to (see ImportMode); none: they stay in the
// file, in its number formats, and the model can only be run. Error, in one line, for whatever is missing, damaged, or does
// not fit together.
LoadedModel load_model(const fs::path& model_or_run, std::optional<DType> compute,
                       ImportMode mode = ImportMode::copy);

// The same to learn beside: dense matrices are packed in this block format while they are read, everything else is converted to
// `compute`; see import_packed_weights().
LoadedModel load_packed_model(const fs::path& model_or_run, DType compute, DType packed);

// The same under a head for these labels, in f32 or bf16, to be trained. Of a classifier of the same labels it is the file's; else
// it is drawn with `seed`, but for a layer below the labels that the file has. Error, too: the model is a file, or a reward model.
struct ClassifierOptions {
  DType compute = DType::f32;
  double dropout = 0;
  uint64_t seed = 0;
};
LoadedModel load_for_labels(const fs::path& model_or_run, const Labels& labels,
                            const ClassifierOptions& options);

struct ModelCard {
  std::string title = {};
  std::string summary = {};                                     // a sentence or two
  std::vector<std::pair<std::string, std::string>> facts = {};  // "Training data" -> "..."
};

struct SaveOptions {
  DType dtype = DType::f32;          // of the weights in the file: f32 or bf16
  Json generation = Json::object();  // sampling defaults: "temperature", "top_p", ...
  ModelCard card = {};
};

// Writes the files into the staging() of an AtomicFolder, whose commit() makes them durable and
// visible. `chat` may be null.
void save_model_files(const fs::path& folder, Model& model, const Tokenizer& tokenizer,
                      const ChatTemplate* chat, const SaveOptions& options = {});
// The whole folder or nothing. Error: the folder exists and holds something else.
void save_model(const fs::path& folder, Model& model, const Tokenizer& tokenizer,
                const ChatTemplate* chat, const SaveOptions& options = {});

}  // namespace malssi
