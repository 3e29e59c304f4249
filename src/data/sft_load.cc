// Reading and checking conversations.
#include <simdjson.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "data/chat_fields.h"
#include "data/permutation.h"
#include "data/records.h"
#include "data/sft.h"
#include "data/text_check.h"

namespace malssi {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kExpected =
    "expected {\"messages\": [..]} or {\"instruction\": .., \"output\": ..}";

Conversation read_messages(const element& list, const std::string& where) {
  simdjson::dom::array messages;
  REQUIRE(!list.get(messages), where, ": \"messages\" is not a list");
  Conversation chat;
  for (const element item : messages) {
    const std::string at = concat(where, ": message ", chat.size() + 1);
    object message;
    REQUIRE(!item.get(message), at, ": not an object, expected {\"role\": .., \"content\": ..}");
    chat.push_back({string_at(message, "role", at), string_at(message, "content", at)});
  }
  return chat;
}

Conversation read_alpaca(const object& record, const std::string& where) {
  Conversation chat;
  if (const std::string system = optional_string(record, "system", where); !is_blank(system))
    chat.push_back({"system", system});
  std::string question = string_at(record, "instruction", where);
  const std::string input = optional_string(record, "input", where);
  if (!is_blank(input)) question += "\n\n" + input;
  chat.push_back({"user", std::move(question)});
  chat.push_back({"assistant", string_at(record, "output", where)});
  return chat;
}

Conversation read_record(simdjson::dom::parser& parser, std::string_view text,
                         const std::string& where) {
  element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  REQUIRE(!error, where, ": not JSON (", simdjson::error_message(error), "), ", kExpected);
  object record;
  REQUIRE(!root.get(record), where, ": not an object, ", kExpected);
  element messages, instruction;
  Conversation chat;
  if (!record.at_key("messages").get(messages))
    chat = read_messages(messages, where);
  else if (!record.at_key("instruction").get(instruction))
    chat = read_alpaca(record, where);
  else
    REQUIRE(false, where, ": found ", keys_of(record), ", ", kExpected);
  check_order(chat, where);
  return chat;
}

bool has_empty_answer(const Conversation& chat) {
  return std::any_of(chat.begin(), chat.end(), [](const Message& message) {
    return message.role == "assistant" && is_blank(message.content);
  });
}

}  // namespace

SftData load_sft(const fs::path& file, const LoadOptions& options) {
  const MappedFile mapped = MappedFile::open(file);
  REQUIRE(mapped.size() > 0, file.string(), ": the file is empty, ", kExpected, " on each line");
  check_text(without_bom(mapped.text()).substr(0, 4096), file);
  JsonRecords records(mapped.text(), file.string());
  simdjson::dom::parser parser;
  JsonRecord record;
  SftData data;
  while (records.next(record)) {
    try {
      Conversation chat = read_record(parser, record.text, records.place(record));
      if (has_empty_answer(chat))
        ++data.empty_answers;
      else
        data.conversations.push_back(std::move(chat));
    } catch (const Error& error) {
      if (!options.skip_invalid) throw;
      if (++data.invalid == 1) data.first_invalid = error.what();
    }
  }
  REQUIRE(!data.conversations.empty(), file.string(), ": no conversation to learn from (",
          data.empty_answers, " without an answer, ", data.invalid, " malformed), ", kExpected);
  return data;
}

std::vector<bool> held_out_marks(int64_t count, double fraction, uint64_t seed) {
  REQUIRE(fraction >= 0 && fraction < 1, "held-out fraction ", fraction,
          ", expected 0 or more and less than 1");
  std::vector<bool> marks(static_cast<size_t>(count), false);
  if (fraction == 0 || count < 2) return marks;
  const int64_t wanted = static_cast<int64_t>(fraction * static_cast<double>(count));
  const int64_t taken = std::clamp<int64_t>(wanted, 1, count - 1);
  const Permutation order(count, splitmix64(seed));
  for (int64_t i = 0; i < taken; ++i) marks[static_cast<size_t>(order(i))] = true;
  return marks;
}

}  // namespace malssi
