// What reinforcement learning asks a model: prompts, and whatever their rewards want to know about each.
//   {"prompt": "..", "answer": "42"}            the prompt may be a list of messages, too
//   {"messages": [{"role": "user", ..}, ..]}    what the assistant says at the end is the answer, where there is no other
// as JSON Lines or as one JSON array. Other fields stay in the record. Every record is checked; an error names file and line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/sft.h"

namespace malssi {

struct RlPrompt {
  Conversation messages;  // end with the user's
  Json record;            // all fields; "answer" among them where there is one
  std::string where;      // "prompts.jsonl line 3"
  std::vector<int32_t> ids = {};
};

struct RlPrompts {
  std::vector<RlPrompt> prompts;
  int64_t invalid = 0;  // left out because they are malformed (skip_invalid)
  std::string first_invalid;
};

// Throws Error; also when no record is left.
RlPrompts load_rl_prompts(const fs::path& file, const LoadOptions& options = {});

// Fills in ids. Those that leave no room for `answer_tokens` in the context are taken out; returns how many. Throws Error when
// none is left.
int64_t encode_rl_prompts(std::vector<RlPrompt>& prompts, const Tokenizer& tokenizer,
                          const ChatTemplate& chat, int64_t context, int64_t answer_tokens);

// Of all that is encoded and of the records.
std::string hash_of(const std::vector<RlPrompt>& prompts);

}  // namespace malssi
