// What a run trains and keeps: a whole model, or an adapter of one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/adapter_file.h"
#include "io/model_folder.h"

namespace malssi {

struct Trained {
  std::string kind;  // "model" or "adapter": also the folder of the finished one in the run's
  std::vector<Parameter> parameters;
  // Trained with them and kept in checkpoints, but no part of the result: a critic.
  std::vector<Parameter> companions = {};
  AdapterMix adapters = {};  // that act on every token
  double work = 1;  // operations of a step, as a part of those that training all weights takes
  // Its files, into the staging() of an AtomicFolder, and its numbers back from such a folder.
  std::function<void(const fs::path& folder, const ModelCard& card)> write;
  std::function<void(const fs::path& folder)> read;
};

// References must outlive it; chat may be null.
Trained whole_model(Model& model, const Tokenizer& tokenizer, const ChatTemplate* chat);

// An adapter that begins to be trained. A principal part's opposite is attached in front of it, for good: together they change
// nothing yet, and the base stays whole, its own reference.
struct BegunAdapter {
  std::vector<Parameter> parameters;
  AdapterMix mix;  // what acts
  std::vector<AdapterPart> start =
      {};  // a principal part as it began; shares the opposite's numbers
};
// Attaches it; all weights of the model itself are frozen from now on. dropout: in front of low-rank matrices.
BegunAdapter begin_adapter(Model& model, const Adapter& fresh, LowRankStart start, double dropout);

// The chat template is kept beside the adapter, for bases that have none.
Trained trained_adapter(Model& model, const Tokenizer& tokenizer, const ChatTemplate& chat,
                        const BegunAdapter& begun, const PeftSettings& settings);

}  // namespace malssi
