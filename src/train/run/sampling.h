// What a model writes while it learns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "train/report/report.h"
#include "train/run/settings.h"

namespace malssi {

struct SamplePrompt {
  std::string shown;
  std::vector<int32_t> ids;  // not empty
};

// The prompts of a run's samples: the text of log.sample_prompt, else the begin of a new document.
std::vector<SamplePrompt> text_prompts(const Tokenizer& tokenizer, const LogSettings& log);
// A dialogue up to the assistant's turn.
SamplePrompt chat_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat,
                         const std::vector<Message>& messages);

// The model's continuation; the same seed gives the same text.
Report::Sample draw_sample(Model& model, const Tokenizer& tokenizer, const ChatTemplate* chat,
                           const SamplePrompt& prompt, const AdapterMix& adapters,
                           const LogSettings& log, uint64_t seed);

}  // namespace malssi
