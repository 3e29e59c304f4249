#include "data/dialogue_text.h"

#include <algorithm>

namespace malssi {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:", kAssistant = "\n\nAssistant:";
constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

bool is_dialogue_text(std::string_view text) { return text.starts_with(kHuman); }

std::vector<Message> read_dialogue_text(std::string_view text) {
  std::vector<Message> chat;
  while (!text.empty()) {
    const bool human = text.starts_with(kHuman);
    text.remove_prefix(human ? kHuman.size() : kAssistant.size());
    const size_t end = std::min({text.find(kHuman), text.find(kAssistant), text.size()});
    const std::string_view words = trimmed(text.substr(0, end));
    text.remove_prefix(end);
    const std::string_view role = human ? "user" : "assistant";
    if (!chat.empty() && chat.back().role == role) {
      chat.back().content.append("\n\n").append(words);
      continue;
    }
    Message message;
    message.role = role;
    message.content = words;
    chat.push_back(message);
  }
  return chat;
}

}  // namespace malssi
