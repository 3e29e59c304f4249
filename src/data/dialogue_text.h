// Dialogues written as one text, "\n\nHuman: ..\n\nAssistant: ..": the form of Anthropic's helpful-and-harmless preferences
// (Bai et al. 2022).
#pragma once

#include <string_view>
#include <vector>

#include "text/message.h"

namespace malssi {

bool is_dialogue_text(std::string_view text);

// Its messages, trimmed. Turns of the same speaker in a row are one message. The last may be empty: a prompt that says that
// the assistant is to speak now.
std::vector<Message> read_dialogue_text(std::string_view text);

}  // namespace malssi
