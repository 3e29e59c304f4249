#include "train/rl/prompts.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "data/chat_fields.h"
#include "data/records.h"
#include "data/text_check.h"

namespace malssi {
namespace {

constexpr std::string_view kExpected =
    "expected {\"prompt\": .., \"answer\": ..} or {\"messages\": [..]}";

Message read_message(const Json& json, const std::string& where) {
  REQUIRE(json.is_object(), where, ": not an object, expected {\"role\": .., \"content\": ..}");
  Message message;
  message.role = get<std::string>(json, "role", where);
  message.content = get<std::string>(json, "content", where);
  return message;
}

Conversation read_turns(const Json& value, const std::string& where) {
  if (value.is_string()) {
    Message message;
    message.role = "user";
    message.content = value.get<std::string>();
    return {message};
  }
  REQUIRE(value.is_array(), where, ": ", json_kind(value),
          ", expected a text or a list of messages");
  Conversation turns;
  for (const Json& each : value)
    turns.push_back(read_message(each, concat(where, ", message ", turns.size() + 1)));
  return turns;
}

RlPrompt read_prompt(const JsonRecord& record, const std::string& where) {
  RlPrompt prompt{.messages = {}, .record = parse_json(record.text, where), .where = where};
  Json& fields = prompt.record;
  REQUIRE(fields.is_object(), where, ": ", json_kind(fields), ", ", kExpected);
  for (const std::string key : {"prompt", "messages"})
    if (prompt.messages.empty() && fields.contains(key))
      prompt.messages = read_turns(fields[key], concat(where, ": \"", key, "\""));
  REQUIRE(!prompt.messages.empty(), where, ": there is no prompt, ", kExpected);
  if (prompt.messages.back().role == "assistant") {
    if (!fields.contains("answer")) fields["answer"] = prompt.messages.back().content;
    prompt.messages.pop_back();
  }
  Conversation whole = prompt.messages;
  whole.push_back({.role = "assistant", .content = "."});
  check_order(whole, where);
  return prompt;
}

}  // namespace

RlPrompts load_rl_prompts(const fs::path& file, const LoadOptions& options) {
  const MappedFile mapped = MappedFile::open(file);
  REQUIRE(mapped.size() > 0, file.string(), ": the file is empty, ", kExpected, " on each line");
  check_text(without_bom(mapped.text()).substr(0, 4096), file);
  JsonRecords records(mapped.text(), file.string());
  RlPrompts all;
  JsonRecord record;
  while (records.next(record)) {
    const std::string where = records.place(record);
    try {
      all.prompts.push_back(read_prompt(record, where));
    } catch (const Error& error) {
      if (!options.skip_invalid) throw;
      if (all.invalid++ == 0) all.first_invalid = error.what();
    }
  }
  REQUIRE(!all.prompts.empty(), file.string(), ": no prompt is left, ", kExpected);
  return all;
}

int64_t encode_rl_prompts(std::vector<RlPrompt>& prompts, const Tokenizer& tokenizer,
                          const ChatTemplate& chat, int64_t context, int64_t answer_tokens) {
  int64_t longest = 0;
  for (RlPrompt& each : prompts) {
    each.ids = encode_chat(tokenizer, chat, each.messages, true).ids;
    longest = std::max(longest, std::ssize(each.ids));
  }
  const auto left_out = static_cast<int64_t>(std::erase_if(prompts, [&](const RlPrompt& each) {
    return each.ids.empty() || std::ssize(each.ids) + answer_tokens > context;
  }));
  REQUIRE(!prompts.empty(), "no prompt leaves room for ", answer_tokens, " tokens of an answer in ",
          context, " tokens of context; the longest has ", longest,
          ": lower rl.max_tokens, or use a model with a longer context");
  return left_out;
}

std::string hash_of(const std::vector<RlPrompt>& prompts) {
  std::string all;
  for (const RlPrompt& each : prompts) {
    all.append(reinterpret_cast<const char*>(each.ids.data()), each.ids.size() * sizeof(int32_t));
    all += dump_json(each.record);
  }
  return hash_text(hash64(std::as_bytes(std::span(all))));
}

}  // namespace malssi
