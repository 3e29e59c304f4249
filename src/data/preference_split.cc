// Holding out whole prompts.
#include <map>

#include "data/preference.h"

namespace malssi {
namespace {

std::string key_of(const Conversation& prompt) {
  std::string key;
  for (const Message& message : prompt) {
    key += std::to_string(message.content.size()) + message.role + ":";
    key += message.content;
  }
  return key;
}

}  // namespace

std::vector<Preference> take_held_out_prompts(std::vector<Preference>& records, double fraction,
                                              uint64_t seed) {
  std::map<std::string, size_t> numbers;  // of the prompts, as they come
  std::vector<size_t> prompts;
  for (const Preference& record : records)
    prompts.push_back(numbers.try_emplace(key_of(record.prompt), numbers.size()).first->second);
  const std::vector<bool> chosen =
      held_out_marks(static_cast<int64_t>(numbers.size()), fraction, seed);
  std::vector<Preference> held, kept;
  for (size_t i = 0; i < records.size(); ++i)
    (chosen[prompts[i]] ? held : kept).push_back(std::move(records[i]));
  records = std::move(kept);
  return held;
}

}  // namespace malssi
