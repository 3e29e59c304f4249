// What a tuning run would learn from its data, shown before it is begun: each conversation or preference as the model reads it, with
// the tokens that are learned marked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/preference.h"
#include "data/sft.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

struct PreviewStyle {
  bool has_colour = false;  // else learned tokens stand in brackets
  bool each_token = false;  // a line for each token: id, mark, text
};

// Tokens with their marks. Control characters are shown as \xNN, so that data cannot command a terminal; line breaks stay.
std::string preview_text(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                         std::span<const uint8_t> learned, const PreviewStyle& style);

struct PreviewOptions {
  int64_t count = 3;  // records shown
  ChatSetOptions set = {};
  PreviewStyle style = {};
};

// Of conversations: some of them, then counts of learned, unlearned and left-out tokens, and of what the template drops.
std::string preview_chats(const SftData& data, const Tokenizer& tokenizer, const ChatTemplate& chat,
                          const PreviewOptions& options);
// Of preferences: each answer of some of them, then counts.
std::string preview_preferences(const PreferenceData& data, const Tokenizer& tokenizer,
                                const ChatTemplate& chat, const PreviewOptions& options);

// The kind of preferences that a file holds, by its first record; nothing where it holds none.
std::optional<PreferenceKind> preference_kind(const fs::path& file);

}  // namespace malssi
