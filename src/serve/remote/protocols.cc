#include "serve/remote/protocols.h"

#include "base/error.h"

namespace malssi {
namespace {

constexpr std::string_view kWhere = "the server's answer";

template <class T>
void put(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

// The member, or null where it is absent or no such thing.
Json part(const Json& json, std::string_view key) {
  return json.is_object() ? get_or<Json>(json, key, Json(), kWhere) : Json();
}
Json first(const Json& list) { return list.is_array() && !list.empty() ? list[0] : Json(); }
std::string text_of(const Json& json, std::string_view key) {
  return json.is_object() ? get_or<std::string>(json, key, "", kWhere) : "";
}
void read_count(const Json& json, std::string_view key, int64_t& count) {
  if (json.is_object()) count = get_or<int64_t>(json, key, count, kWhere);
}

std::string system_text(std::span<const Message> messages) {
  std::string text;
  for (const Message& message : messages)
    if (message.role == "system") text += (text.empty() ? "" : "\n\n") + message.content;
  return text;
}

RemoteRequest openai_request(const RemoteModel& model, std::span<const Message> messages,
                             const RemoteOptions& options) {
  RemoteRequest request{.path = "/chat/completions", .headers = {}, .body = Json::object()};
  if (!model.key.empty()) request.headers.emplace_back("authorization", "Bearer " + model.key);
  Json& body = request.body;
  body["model"] = model.name;
  body["messages"] = Json::array();
  for (const Message& message : messages)
    body["messages"].push_back(Json{{"role", message.role}, {"content", message.content}});
  body["max_tokens"] = options.max_tokens;
  put(body, "temperature", options.temperature);
  put(body, "top_p", options.top_p);
  put(body, "top_k", options.top_k);
  // Servers read it as a signed number.
  if (options.seed) body["seed"] = static_cast<int64_t>(*options.seed >> 1);
  if (!options.stop.empty()) body["stop"] = options.stop;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return request;
}

RemoteRequest anthropic_request(const RemoteModel& model, std::span<const Message> messages,
                                const RemoteOptions& options) {
  RemoteRequest request{.path = "/v1/messages",
                        .headers = {{"anthropic-version", "2023-06-01"}},
                        .body = Json::object()};
  if (!model.key.empty()) request.headers.emplace_back("x-api-key", model.key);
  Json& body = request.body;
  body["model"] = model.name;
  body["max_tokens"] = options.max_tokens;
  if (const std::string system = system_text(messages); !system.empty()) body["system"] = system;
  body["messages"] = Json::array();
  for (const Message& message : messages)
    if (message.role != "system")
      body["messages"].push_back(Json{{"role", message.role}, {"content", message.content}});
  put(body, "temperature", options.temperature);
  put(body, "top_p", options.top_p);
  put(body, "top_k", options.top_k);
  if (!options.stop.empty()) body["stop_sequences"] = options.stop;
  body["stream"] = true;
  return request;
}

RemoteRequest gemini_request(const RemoteModel& model, std::span<const Message> messages,
                             const RemoteOptions& options) {
  RemoteRequest request{
      .path = concat("/v1beta/models/", model.name, ":streamGenerateContent?alt=sse"),
      .headers = {},
      .body = Json::object()};
  if (!model.key.empty()) request.headers.emplace_back("x-goog-api-key", model.key);
  const auto parts = [](const std::string& text) { return Json::array({Json{{"text", text}}}); };
  Json& body = request.body;
  if (const std::string system = system_text(messages); !system.empty())
    body["systemInstruction"]["parts"] = parts(system);
  body["contents"] = Json::array();
  for (const Message& message : messages) {
    if (message.role == "system") continue;
    Json turn;
    turn["role"] = message.role == "assistant" ? "model" : "user";
    turn["parts"] = parts(message.content);
    body["contents"].push_back(std::move(turn));
  }
  Json& config = body["generationConfig"];
  config["maxOutputTokens"] = options.max_tokens;
  put(config, "temperature", options.temperature);
  put(config, "topP", options.top_p);
  put(config, "topK", options.top_k);
  if (options.seed) config["seed"] = static_cast<int32_t>(*options.seed & 0x7fffffff);
  if (!options.stop.empty()) config["stopSequences"] = options.stop;
  return request;
}

void read_openai(const Json& event, RemoteAnswer& answer) {
  const Json choice = first(part(event, "choices"));
  answer.text += text_of(part(choice, "delta"), "content");
  if (text_of(choice, "finish_reason") == "length") answer.is_cut = true;
  const Json usage = part(event, "usage");
  read_count(usage, "prompt_tokens", answer.prompt_tokens);
  read_count(usage, "completion_tokens", answer.answer_tokens);
}

void read_anthropic(const Json& event, RemoteAnswer& answer) {
  const std::string type = text_of(event, "type");
  const Json delta = part(event, "delta");
  if (type == "content_block_delta") answer.text += text_of(delta, "text");
  if (type == "message_start")
    read_count(part(part(event, "message"), "usage"), "input_tokens", answer.prompt_tokens);
  if (type != "message_delta") return;
  if (text_of(delta, "stop_reason") == "max_tokens") answer.is_cut = true;
  read_count(part(event, "usage"), "output_tokens", answer.answer_tokens);
}

void read_gemini(const Json& event, RemoteAnswer& answer) {
  const Json candidate = first(part(event, "candidates"));
  for (const Json& piece : part(part(candidate, "content"), "parts"))
    if (piece.is_object() && !get_or<bool>(piece, "thought", false, kWhere))
      answer.text += text_of(piece, "text");
  if (text_of(candidate, "finishReason") == "MAX_TOKENS") answer.is_cut = true;
  const Json usage = part(event, "usageMetadata");
  read_count(usage, "promptTokenCount", answer.prompt_tokens);
  read_count(usage, "candidatesTokenCount", answer.answer_tokens);
}

}  // namespace

RemoteRequest remote_request(const RemoteModel& model, std::span<const Message> messages,
                             const RemoteOptions& options) {
  switch (model.kind) {
    case RemoteKind::openai:
      return openai_request(model, messages, options);
    case RemoteKind::anthropic:
      return anthropic_request(model, messages, options);
    case RemoteKind::gemini:
      return gemini_request(model, messages, options);
  }
  CHECK(false, "unknown kind");
}

void read_remote_event(RemoteKind kind, const Json& event, RemoteAnswer& answer) {
  if (const Json error = part(event, "error"); !error.is_null())
    throw Error(concat("the server broke off: ",
                       error.is_object() ? text_of(error, "message") : dump_json(error)));
  switch (kind) {
    case RemoteKind::openai:
      return read_openai(event, answer);
    case RemoteKind::anthropic:
      return read_anthropic(event, answer);
    case RemoteKind::gemini:
      return read_gemini(event, answer);
  }
}

}  // namespace malssi
