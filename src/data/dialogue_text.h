// Dialogues written as one text, "\n\nHuman: ..\n\nAssistant: ..": the form of Anthropic's helpful-and-harmless preferences
// (Bai et al. 2022).
#pragma once

#include <string_view>
#include <vector>

#include "text/message.h"

namespace malssi {

bool is_dialogue_text(std::string_view text);

// Its messages, trimmed. Turns of the same speaker in a row are one message; an empty last turn of the assistant, which only
// says that it is to speak now, is left out.
std::vector<Message> read_dialogue_text(std::string_view text);

}  // namespace malssi
