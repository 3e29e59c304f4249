// --speculate and --draft-tokens: answers in fewer passes of the model, by drafting (infer/draft.h).
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/console.h"
#include "infer/draft.h"
#include "infer/engine.h"
#include "infer/model_predictor.h"
#include "io/model_folder.h"

namespace malssi {

// A drafter, with the model it may run.
struct Speculation {
  std::optional<LoadedModel> model = {};
  std::unique_ptr<ModelPredictor> predictor = {};
  std::shared_ptr<Drafter> drafter = {};  // null: none was asked for
  int64_t draft_tokens = 8;
};

class SpeculationFlags {
 public:
  // Registers the flags; this must live until the command has run.
  void add_to(CLI::App& command);
  bool given() const { return !speculate_.empty(); }
  // capacity: tokens of prompt and answer together. Error: the draft model's vocabulary differs.
  Speculation make(const LoadedModel& target, int64_t capacity) const;

 private:
  std::string speculate_;
  int64_t draft_tokens_ = 8;
};

// How many of the drafted tokens were right, and how fast the answers came.
void note_speculation(const EngineStatistics& statistics, Console& console);

}  // namespace malssi
