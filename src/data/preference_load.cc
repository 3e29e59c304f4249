// Reading and checking preferences.
#include <algorithm>

#include "base/error.h"
#include "data/chat_fields.h"
#include "data/dialogue_text.h"
#include "data/permutation.h"
#include "data/preference.h"
#include "data/record_file.h"

namespace malssi {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kExpected =
    "expected {\"prompt\", \"chosen\", \"rejected\"}, {\"prompt\", \"completion\", \"label\"} or "
    "{\"prompt\", \"ranked\"}";

// A text, a message or a list of messages; a plain text is `speaker`'s.
Conversation read_turns(const element& value, std::string_view speaker, const std::string& where) {
  std::string_view text;
  if (!value.get(text)) {
    if (is_dialogue_text(text)) return read_dialogue_text(text);
    Message message;
    message.role = speaker;
    message.content = text;
    return {message};
  }
  array list;
  if (value.get(list)) {
    REQUIRE(value.is_object(), where, ": expected a text or a list of messages");
    return {read_message(value, where)};
  }
  Conversation chat;
  for (const element item : list)
    chat.push_back(read_message(item, concat(where, ", message ", chat.size() + 1)));
  REQUIRE(!chat.empty(), where, ": the list is empty, expected messages");
  return chat;
}

Conversation turns_at(const object& record, std::string_view key, std::string_view speaker,
                      const std::string& where) {
  element value;
  REQUIRE(!record.at_key(key).get(value), where, ": \"", key, "\" is missing, found ",
          keys_of(record), "; ", kExpected);
  return read_turns(value, speaker, concat(where, ": \"", key, "\""));
}

std::optional<Conversation> read_prompt(const object& record, const std::string& where) {
  for (const std::string_view key : {"prompt", "conversations", "messages"}) {
    element value;
    if (record.at_key(key).get(value) || value.is_null()) continue;
    Conversation prompt = turns_at(record, key, "user", where);
    const bool awaits = prompt.back().role == "assistant" && is_blank(prompt.back().content);
    if (awaits && prompt.size() > 1 && key == "prompt") prompt.pop_back();
    return prompt;
  }
  return {};
}

bool same(const Message& a, const Message& b) { return a.role == b.role && a.content == b.content; }

int64_t shared_messages(const Conversation& a, const Conversation& b) {
  const size_t most = std::min(a.size(), b.size());
  size_t n = 0;
  while (n < most && same(a[n], b[n])) ++n;
  return static_cast<int64_t>(n);
}

// An answer may repeat the prompt: then it begins where the prompt ends.
Conversation without_prompt(Conversation answer, const Conversation& prompt,
                            const std::string& where) {
  if (answer.front().role == "assistant") return answer;
  const auto shared = static_cast<size_t>(shared_messages(prompt, answer));
  REQUIRE(shared == prompt.size() && answer.size() > shared, where,
          ": an answer begins with role \"", answer.front().role,
          "\", expected the assistant's words, or the prompt's messages and then those");
  answer.erase(answer.begin(), answer.begin() + static_cast<int64_t>(shared));
  return answer;
}

// Two texts that share their beginning up to a space: that is what was asked.
Conversation split_texts(Conversation& a, Conversation& b, const std::string& where) {
  std::string &left = a.front().content, &right = b.front().content;
  size_t n = 0;
  while (n < std::min(left.size(), right.size()) && left[n] == right[n]) ++n;
  n = n == 0 ? 0 : left.find_last_of(" \n\t", n - 1) + 1;  // npos + 1 is 0
  const std::string asked = left.substr(0, n);
  REQUIRE(left == right || !is_blank(asked), where,
          ": no \"prompt\", and \"chosen\" and \"rejected\" do not share a beginning");
  left.erase(0, n);
  right.erase(0, n);
  Message message;
  message.role = "user";
  message.content = asked.substr(0, asked.find_last_not_of(" \n\t") + 1);
  return {message};
}

// Takes the prompt off two answers that both begin with it; they start with the assistant.
Conversation split_shared(Conversation& a, Conversation& b, const std::string& where) {
  if (a.size() == 1 && b.size() == 1 && a[0].role == "assistant" && b[0].role == "assistant")
    return split_texts(a, b, where);
  const auto speaks = [](const Conversation& chat, int64_t at) {
    return at < static_cast<int64_t>(chat.size()) &&
           chat[static_cast<size_t>(at)].role == "assistant";
  };
  int64_t shared = shared_messages(a, b);
  while (shared > 0 && !(speaks(a, shared) && speaks(b, shared))) --shared;
  REQUIRE(shared > 0, where,
          ": no \"prompt\", and \"chosen\" and \"rejected\" do not share a beginning");
  const Conversation prompt(a.begin(), a.begin() + shared);
  a.erase(a.begin(), a.begin() + shared);
  b.erase(b.begin(), b.begin() + shared);
  return prompt;
}

Preference read_pair(const object& record, const std::string& where) {
  Preference pair;
  const std::optional<Conversation> prompt = read_prompt(record, where);
  Conversation chosen = turns_at(record, "chosen", "assistant", where);
  Conversation rejected = turns_at(record, "rejected", "assistant", where);
  pair.prompt = prompt ? *prompt : split_shared(chosen, rejected, where);
  for (Conversation* answer : {&chosen, &rejected})
    pair.answers.push_back(without_prompt(std::move(*answer), pair.prompt, where));
  element margin;
  if (!record.at_key("margin").get(margin) && !margin.is_null())
    REQUIRE(!margin.get(pair.margin), where, ": \"margin\" is not a number");
  return pair;
}

Preference read_judged(const object& record, const element& label, const std::string& where) {
  Preference judged;
  bool liked = false;
  REQUIRE(!label.get(liked), where, ": \"label\" is not true or false");
  judged.liked = liked;
  const std::optional<Conversation> prompt = read_prompt(record, where);
  REQUIRE(prompt, where, ": \"prompt\" is missing, found ", keys_of(record), "; ", kExpected);
  judged.prompt = *prompt;
  element completion;
  if (record.at_key("completion").get(completion)) {
    REQUIRE(judged.prompt.size() > 1, where, ": \"completion\" is missing: nothing to judge");
    judged.answers.push_back({judged.prompt.back()});
    judged.prompt.pop_back();
  } else {
    judged.answers.push_back(
        without_prompt(turns_at(record, "completion", "assistant", where), judged.prompt, where));
  }
  return judged;
}

Preference read_ranking(const object& record, const element& ranked, const std::string& where) {
  Preference ranking;
  const std::optional<Conversation> prompt = read_prompt(record, where);
  REQUIRE(prompt, where, ": \"prompt\" is missing, found ", keys_of(record), "; ", kExpected);
  ranking.prompt = *prompt;
  array list;
  REQUIRE(!ranked.get(list), where, ": \"ranked\" is not a list of answers, the best first");
  for (const element answer : list) {
    const std::string at = concat(where, ": answer ", ranking.answers.size() + 1);
    ranking.answers.push_back(
        without_prompt(read_turns(answer, "assistant", at), ranking.prompt, at));
  }
  constexpr size_t kMost = 64;  // its pairs grow with the square
  REQUIRE(ranking.answers.size() >= 2 && ranking.answers.size() <= kMost, where,
          ": \"ranked\" has ", ranking.answers.size(), " answers, expected 2 to ", kMost);
  return ranking;
}

Preference read_record(simdjson::dom::parser& parser, std::string_view text,
                       const std::string& where) {
  element root, value;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  REQUIRE(!error, where, ": not JSON (", simdjson::error_message(error), "), ", kExpected);
  object record;
  REQUIRE(!root.get(record), where, ": not an object, ", kExpected);
  Preference read;
  if (!record.at_key("chosen").get(value) || !record.at_key("rejected").get(value))
    read = read_pair(record, where);
  else if (!record.at_key("ranked").get(value))
    read = read_ranking(record, value, where);
  else if (!record.at_key("label").get(value))
    read = read_judged(record, value, where);
  else
    REQUIRE(false, where, ": found ", keys_of(record), ", ", kExpected);
  for (const Conversation& answer : read.answers) {
    Conversation whole = read.prompt;
    whole.insert(whole.end(), answer.begin(), answer.end());
    check_order(whole, where);
  }
  return read;
}

bool undecided(const Preference& record) {
  const auto empty = [](const Conversation& answer) {
    return std::any_of(answer.begin(), answer.end(),
                       [](const Message& message) { return is_blank(message.content); });
  };
  if (std::any_of(record.answers.begin(), record.answers.end(), empty)) return true;
  const auto& answers = record.answers;
  return answers.size() == 2 && std::equal(answers[0].begin(), answers[0].end(), answers[1].begin(),
                                           answers[1].end(), same);
}

// Of the kind that is wanted: as it is, or a pair as two judged answers.
void keep(Preference record, PreferenceKind kind, const std::string& where,
          std::vector<Preference>& records) {
  const bool is_pair = !record.liked && record.answers.size() == 2;
  if (kind == PreferenceKind::judged && is_pair) {
    for (size_t i = 0; i < 2; ++i)
      records.push_back({.prompt = record.prompt, .answers = {record.answers[i]}, .liked = i == 0});
    return;
  }
  const bool fits = kind == PreferenceKind::pairs    ? is_pair
                    : kind == PreferenceKind::judged ? record.liked.has_value()
                                                     : !record.liked;
  REQUIRE(fits, where, ": found ",
          record.liked ? "one answer with a \"label\"" : "a ranking of several answers",
          ", which this method cannot learn from; expected ",
          kind == PreferenceKind::judged ? "{\"prompt\", \"completion\", \"label\"} or pairs"
                                         : "{\"prompt\", \"chosen\", \"rejected\"}");
  records.push_back(std::move(record));
}

}  // namespace

PreferenceData load_preferences(const fs::path& file, PreferenceKind kind,
                                const LoadOptions& options) {
  RecordFile records(file, kExpected);
  simdjson::dom::parser parser;
  JsonRecord record;
  PreferenceData data;
  while (records.next(record)) {
    const std::string where = records.place(record);
    try {
      records.check();
      Preference preference = read_record(parser, record.text, where);
      if (undecided(preference))
        ++data.undecided;
      else
        keep(std::move(preference), kind, where, data.records);
    } catch (const Error& error) {
      if (!options.skip_invalid) throw;
      if (++data.invalid == 1) data.first_invalid = error.what();
    }
  }
  REQUIRE(!data.records.empty(), file.string(), ": no preference to learn from (", data.undecided,
          " undecided, ", data.invalid, " malformed), ", kExpected);
  return data;
}

void add_mismatched(std::vector<Preference>& records) {
  const auto count = static_cast<int64_t>(records.size());
  REQUIRE(count >= 2,
          "KTO compares an answer with those to other prompts: expected at least 2 "
          "records, found ",
          count);
  // A walk through all records in shuffled order: each takes the answer of the next.
  const Permutation order(count, 0);
  const Conversation first = records[static_cast<size_t>(order(0))].answers[0];
  for (int64_t i = 0; i < count; ++i) {
    Preference& record = records[static_cast<size_t>(order(i))];
    record.answers.resize(1);
    record.answers.push_back(i + 1 < count ? records[static_cast<size_t>(order(i + 1))].answers[0]
                                           : first);
  }
}

}  // namespace malssi
