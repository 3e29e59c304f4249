// Reading and checking conversations.
#include <simdjson.h>

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "data/chat_fields.h"
#include "data/chat_formats.h"
#include "data/permutation.h"
#include "data/record_file.h"
#include "data/sft.h"

namespace malssi {
namespace {

Conversation read_record(simdjson::dom::parser& parser, std::string_view text,
                         const ChatColumns& columns, const std::string& where) {
  simdjson::dom::element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  REQUIRE(!error, where, ": not JSON (", simdjson::error_message(error), "), ", kChatForms);
  simdjson::dom::object record;
  REQUIRE(!root.get(record), where, ": not an object, ", kChatForms);
  return read_conversation(record, columns, where);
}

bool has_empty_answer(const Conversation& chat) {
  return std::any_of(chat.begin(), chat.end(), [](const Message& message) {
    return message.role == "assistant" && is_blank(message.content);
  });
}

}  // namespace

SftData load_sft(const fs::path& file, const LoadOptions& options) {
  RecordFile records(file, kChatForms);
  const ChatColumns columns{.prompt = options.prompt_column, .answer = options.answer_column};
  simdjson::dom::parser parser;
  JsonRecord record;
  SftData data;
  while (records.next(record)) {
    try {
      records.check();
      Conversation chat = read_record(parser, record.text, columns, records.place(record));
      if (has_empty_answer(chat)) {
        if (++data.empty_answers == 1) data.first_empty = records.place(record);
        continue;
      }
      data.conversations.push_back(std::move(chat));
      data.lines.push_back(record.line);
    } catch (const Error& error) {
      if (!options.skip_invalid) throw;
      if (++data.invalid == 1) data.first_invalid = error.what();
    }
  }
  REQUIRE(!data.conversations.empty(), file.string(), ": no conversation to learn from (",
          data.empty_answers, " without an answer, ", data.invalid, " malformed), ", kChatForms);
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
