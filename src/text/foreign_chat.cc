#include "text/foreign_chat.h"

#include <algorithm>

#include "base/error.h"

namespace malssi {
namespace {

using jinja::kGeneration;
using jinja::Mark;
using jinja::Text;

constexpr Mark kData = kGeneration - 1;  // of tools and variables; message i is marked i + 1

bool is_plain_word(std::string_view role) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !role.empty() && role.size() <= 64 && role.find_first_not_of(kAllowed) == role.npos;
}

std::tm local_time() {
  const std::time_t seconds = std::time(nullptr);
  std::tm now = {};
  localtime_r(&seconds, &now);
  return now;
}

// A call's arguments come as JSON text; most templates want the object.
Json with_parsed_arguments(Json calls) {
  for (Json& call : calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    Json& function = call["function"];
    if (!function.contains("arguments") || !function["arguments"].is_string()) continue;
    try {
      Json parsed = parse_json(function["arguments"].get<std::string>(), "arguments");
      if (parsed.is_object()) function["arguments"] = std::move(parsed);
    } catch (const Error&) {
      continue;  // a model's call may be no JSON: it goes in as it is
    }
  }
  return calls;
}

Json with_arguments_as_text(Json calls) {
  for (Json& call : calls)
    if (call.is_object() && call.contains("function") && call["function"].is_object() &&
        call["function"].contains("arguments") && call["function"]["arguments"].is_object())
      call["function"]["arguments"] = dump_json(call["function"]["arguments"]);
  return calls;
}

// The mark of text inside, without what {% generation %} adds.
Mark source_of(const Text& text, size_t at) { return text.mark(at) & (kGeneration - 1); }

struct Span {
  size_t begin = std::string::npos, end = 0;
  bool found() const { return begin < end; }
};

// From the first to past the last byte that comes from a source.
Span span_of(const Text& text, Mark source) {
  Span span;
  for (size_t at = 0; at < text.size(); ++at) {
    if (source_of(text, at) != source) continue;
    span.begin = std::min(span.begin, at);
    span.end = at + 1;
  }
  return span;
}

// The one token that a turn's end begins with: <...>, [...], or eos.
std::string first_token(std::string_view text, std::string_view eos) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(begin);
  if (!eos.empty() && text.starts_with(eos)) return std::string(eos);
  const char close = text.starts_with('<') ? '>' : text.starts_with('[') ? ']' : '\0';
  const size_t end = close ? text.find(close) : text.npos;
  return end == text.npos ? "" : std::string(text.substr(0, end + 1));
}

}  // namespace

ForeignChat::ForeignChat(std::string_view jinja, std::string_view where, ChatTokens tokens)
    : template_(jinja, where), tokens_(std::move(tokens)) {
  find_absent_form();
  find_argument_form();
  find_turn_end();
}

// A few templates go through the tools whether there are some or not.
void ForeignChat::find_absent_form() {
  const Message messages[] = {{"user", "Hello"}};
  try {
    text(messages, {});
  } catch (const Error&) {
    absent_is_none_ = false;
  }
}

// Some templates print arguments with tojson, others as they are; an object printed as it is would
// come out as Python writes it, with single quotes.
void ForeignChat::find_argument_form() {
  const Json call = {{"id", "call00001"},
                     {"type", "function"},
                     {"function", {{"name", "probe"}, {"arguments", {{"probe_key", "value"}}}}}};
  const Message messages[] = {
      {"user", "Hello"}, {.role = "assistant", .content = "", .tool_calls = Json::array({call})}};
  try {
    const Text text = this->text(messages, {});
    arguments_as_text_ = text.bytes().find("'probe_key'") != std::string_view::npos;
  } catch (const Error&) {
    arguments_as_text_ = true;  // an object where it expects a string
  }
}

void ForeignChat::find_turn_end() {
  const Message messages[] = {{"user", "Hello"}, {"assistant", "Answer"}, {"user", "Thanks"}};
  try {
    const Text last = text(std::span(messages).first(2), {});
    const Span answer = span_of(last, 2);
    if (!answer.found()) return;
    turn_end_ = first_token(last.bytes().substr(answer.end), tokens_.eos);
    if (turn_end_.empty()) return;
    // What the assistant's turn holds before the answer's words cannot be its end.
    const std::string_view whole = last.bytes();
    const Text prompt = text(std::span(messages).first(1), {.add_generation_prompt = true});
    const bool grown = whole.starts_with(prompt.bytes()) && prompt.size() <= answer.begin;
    const size_t begin = grown ? prompt.size() : answer.begin;
    if (whole.substr(begin, answer.begin - begin).find(turn_end_) != whole.npos) turn_end_.clear();
    if (turn_end_.empty()) return;
    // What stands between two turns must hold it too: else it ends the text, or begins a turn.
    const Text inside = text(messages, {});
    const Span before = span_of(inside, 2), after = span_of(inside, 3);
    if (before.found() && after.begin > before.end &&
        first_token(inside.bytes().substr(before.end), tokens_.eos) != turn_end_)
      turn_end_.clear();
  } catch (const Error&) {
    turn_end_.clear();  // a template that takes no such dialogue: the tokenizer's own end holds
  }
}

Json ForeignChat::messages_json(std::span<const Message> messages) const {
  Json list = Json::array();
  for (const Message& message : messages) {
    REQUIRE(is_plain_word(message.role), "chat template: the role '", message.role, "' of message ",
            list.size() + 1, " is no plain word (usual: system, user, assistant, tool)");
    Json json{{"role", message.role}, {"content", message.content}};
    if (!message.reasoning.empty()) json["reasoning_content"] = message.reasoning;
    if (!message.name.empty()) json["name"] = message.name;
    if (!message.tool_call_id.empty()) json["tool_call_id"] = message.tool_call_id;
    if (!message.tool_calls.is_null()) {
      REQUIRE(message.tool_calls.is_array(), "chat template: the tool calls of message ",
              list.size() + 1, " are ", json_kind(message.tool_calls), ", expected a list");
      json["tool_calls"] = arguments_as_text_ ? with_arguments_as_text(message.tool_calls)
                                              : with_parsed_arguments(message.tool_calls);
    }
    list.push_back(std::move(json));
  }
  return list;
}

Text ForeignChat::text(std::span<const Message> messages, const RenderOptions& options) const {
  Json all = messages_json(messages);
  int64_t size = 0;
  for (const Message& message : messages)
    size += static_cast<int64_t>(message.content.size() + message.reasoning.size());
  std::vector<jinja::Variable> variables = {
      {.name = "bos_token", .value = tokens_.bos},
      {.name = "eos_token", .value = tokens_.eos},
      {.name = "add_generation_prompt", .value = options.add_generation_prompt}};
  if (absent_is_none_ || !options.tools.is_null())
    variables.push_back({.name = "tools", .value = options.tools, .mark = kData});
  if (absent_is_none_) variables.push_back({.name = "documents", .value = nullptr});
  REQUIRE(options.variables.is_object(), "chat template: the variables are ",
          json_kind(options.variables), ", expected an object");
  for (const auto& [name, value] : options.variables.get_ref<const Json::object_t&>())
    variables.push_back({.name = name, .value = value, .mark = kData});
  variables.push_back({.name = "messages",
                       .value = std::move(all),
                       .mark = 1,
                       .marks_items = true,
                       .unmarked = "role"});
  jinja::RenderSettings settings{.now = options.now.value_or(local_time())};
  settings.limits.steps += 10'000 * static_cast<int64_t>(messages.size());
  settings.limits.output += 4 * size;
  settings.limits.memory += 64 * size + 8192 * static_cast<int64_t>(messages.size());
  return template_.render(variables, settings);
}

std::vector<bool> ForeignChat::trained_bytes(const Text& text, std::span<const Message> messages,
                                             const RenderOptions& options) const {
  std::vector<bool> trained(text.size());
  bool enclosed = false;
  for (size_t at = 0; at < text.size(); ++at)
    if (text.mark(at) & kGeneration) enclosed = trained[at] = true;
  if (enclosed) return trained;
  RenderOptions prompt = options;
  prompt.add_generation_prompt = true;
  for (size_t i = 0; i < messages.size() && i + 1 < kData; ++i) {
    if (messages[i].role != "assistant") continue;
    Span span = span_of(text, static_cast<Mark>(i + 1));
    if (!span.found()) continue;
    try {  // what stands after the prompt that asks for this answer is learned with it
      const Text before = this->text(messages.first(i), prompt);
      if (before.size() <= span.begin && text.bytes().starts_with(before.bytes()))
        span.begin = before.size();
    } catch (const Error&) {
      // No dialogue of its own up to here: the answer's words alone begin it.
    }
    size_t next = span.end;  // the first byte after it that another message wrote
    while (next < text.size() && source_of(text, next) == 0) ++next;
    const size_t end =
        turn_end_.empty() ? text.bytes().npos : text.bytes().find(turn_end_, span.end);
    if (end != text.bytes().npos && end + turn_end_.size() <= next)
      span.end = end + turn_end_.size();
    std::fill(trained.begin() + static_cast<std::ptrdiff_t>(span.begin),
              trained.begin() + static_cast<std::ptrdiff_t>(span.end), true);
  }
  return trained;
}

std::vector<ChatPiece> ForeignChat::render(std::span<const Message> messages,
                                           const RenderOptions& options) const {
  const Text text = this->text(messages, options);
  const std::vector<bool> trained = trained_bytes(text, messages, options);
  std::vector<ChatPiece> pieces;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool markup = source_of(text, at) == 0;
    if (pieces.empty() || pieces.back().markup != markup || pieces.back().trained != trained[at])
      pieces.push_back({.text = {}, .trained = trained[at], .markup = markup});
    pieces.back().text += text.bytes()[at];
  }
  return pieces;
}

}  // namespace malssi
