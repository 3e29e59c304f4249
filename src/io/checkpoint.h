// Checkpoints: <run>/checkpoints/step-00001000/ is a model (or adapter) folder plus what training needs to go on
// as if it had never stopped (train_state.json, train_state.safetensors) and MANIFEST.json with
// sizes and hashes. Each is written whole or not at all; at least two are kept;
// <run>/checkpoints/latest is a link to the newest, for people: the program itself takes the newest
// whose hashes are right.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/lazy_tensor.h"
#include "io/model_folder.h"

namespace malssi {

struct TrainState {
  Json json =
      Json::object();  // step, tokens, schedule, random state, data position, configuration, ...
  std::vector<LazyTensor>
      tensors;  // master weights, moments; memory never holds two of all of them
};

// Writes the checkpoint of this step, with the files that write() puts into the folder, then removes
// older ones beyond `keep` (at least 2).
void save_checkpoint(const fs::path& run, int64_t step,
                     const std::function<void(const fs::path& folder)>& write,
                     const TrainState& state, int64_t keep);
// The same of a whole model; `chat` may be null.
void save_checkpoint(const fs::path& run, int64_t step, Model& model, const Tokenizer& tokenizer,
                     const TrainState& state, int64_t keep = 2, const ChatTemplate* chat = nullptr,
                     const SaveOptions& options = {});

// What comes after the writing: older ones beyond `keep` go, and what killed runs left half done; "latest" means this step. A run
// that goes on from this step begins with it, for the one before may have been killed there.
void settle_checkpoints(const fs::path& run, int64_t step, int64_t keep);

// Steps of the checkpoints in a run, newest first, damaged ones included.
std::vector<int64_t> checkpoint_steps(const fs::path& run);
fs::path checkpoint_folder(const fs::path& run, int64_t step);

// The newest checkpoint whose files agree with its manifest; nothing when the run has none at all.
// Damaged ones are skipped and told to `warn`. Error: there are checkpoints, but every one is
// damaged.
std::optional<fs::path> latest_checkpoint(const fs::path& run,
                                          const std::function<void(std::string_view)>& warn = {});

// The state in a checkpoint that latest_checkpoint() gave.
TrainState load_train_state(const fs::path& checkpoint);

}  // namespace malssi
