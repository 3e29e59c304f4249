// Holding out whole prompts.
#include "data/preference.h"

namespace malssi {

std::string conversation_key(const Conversation& messages) {
  std::string key;
  for (const Message& message : messages) {
    key += std::to_string(message.content.size()) + message.role + ":";
    key += message.content;
  }
  return key;
}

std::vector<Preference> take_held_out_prompts(std::vector<Preference>& records, double fraction,
                                              uint64_t seed) {
  return take_held_out_by(
      records, [](const Preference& record) { return conversation_key(record.prompt); }, fraction,
      seed);
}

}  // namespace malssi
