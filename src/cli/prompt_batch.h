// Many prompts of one file, answered side by side.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/reply.h"
#include "io/model_folder.h"

namespace malssi {

struct PromptBatch {
  std::vector<std::string> texts;
  std::vector<std::vector<int32_t>> ids;
  std::vector<AdapterMix> adapters;  // of each
};

// The prompts of a JSON Lines file: each line a string, or an object with the string "prompt" and, where adapters are in use,
// "lora": their weights for this prompt, in their order. Error: a line that is neither (says which), or a file without prompts.
PromptBatch read_prompts(const std::string& file, const AdapterMix& adapters,
                         const std::function<std::vector<int32_t>(const std::string&)>& encode);

struct PromptBatchOptions {
  GenerateOptions generate = {};
  int64_t parallel = 4;
  int64_t context = 0;              // tokens of a prompt and its answer
  std::optional<DType> cache = {};  // what keys and values are kept in
  std::function<bool()> cancelled = {};
};

// Answers all; passes on one line of JSON for each, in the order of the prompts, as soon as it and
// those before it are there.
void answer_prompts(const LoadedModel& loaded, const PromptBatch& batch,
                    const PromptBatchOptions& options,
                    const std::function<void(const std::string&)>& put_line);

}  // namespace malssi
