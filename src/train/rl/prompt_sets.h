// The prompts of a run, as its settings name them: to learn from, and to validate on.
#pragma once

#include <string>
#include <vector>

#include "base/console.h"
#include "train/rl/prompts.h"
#include "train/rl/rl_prompt_settings.h"
#include "train/run/settings.h"
#include "train/tune/student.h"

namespace malssi {

struct PromptSets {
  std::vector<RlPrompt> train, validation;
};

// A part held out for validation is chosen by prompts: all records of one stay together. With a file of its own it may share
// prompts with the data, which is told. Throws Error.
PromptSets load_prompt_sets(const RlPromptSettings& settings, const TrainSettings& train,
                            Console& console);

// Encodes them for the student. Prompts that leave no room for `answer_tokens` (of the setting `key`, "grpo.max_tokens") are left
// out and told. Throws Error where none is left to learn from.
void encode_prompt_sets(PromptSets& sets, const Student& student, int64_t answer_tokens,
                        const std::string& key, Console& console);

}  // namespace malssi
