#include "serve/remote/remote_model.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "serve/http/client.h"
#include "serve/remote/event_reader.h"
#include "serve/remote/protocols.h"

namespace malssi {
namespace {

struct Service {
  std::string_view prefix;  // "openai:"
  RemoteKind kind;
  std::string_view variable;  // OPENAI
  std::string_view usual_url;
};
constexpr Service kServices[] = {
    {"openai:", RemoteKind::openai, "OPENAI", "https://api.openai.com/v1"},
    {"anthropic:", RemoteKind::anthropic, "ANTHROPIC", "https://api.anthropic.com"},
    {"gemini:", RemoteKind::gemini, "GEMINI", "https://generativelanguage.googleapis.com"}};

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? value : "";
}

// What a server says where it refuses: its JSON's message, else the beginning of what it sent.
std::string refusal(const std::string& body) {
  try {
    Json json = parse_json(body, "answer");
    if (json.is_array() && !json.empty()) json = Json(json[0]);
    const Json error = get_or<Json>(json, "error", Json(), "answer");
    return error.is_string() ? error.get<std::string>()
                             : get<std::string>(error, "message", "error");
  } catch (const Error&) {
    return body.substr(0, 200);
  }
}

}  // namespace

std::optional<RemoteModel> remote_model(const std::string& text) {
  for (const Service& service : kServices) {
    if (!text.starts_with(service.prefix)) continue;
    RemoteModel model{.kind = service.kind,
                      .name = text.substr(service.prefix.size()),
                      .base_url = environment(concat(service.variable, "_BASE_URL")),
                      .key = environment(concat(service.variable, "_API_KEY"))};
    REQUIRE(!model.name.empty(), text, ": expected a model's name behind the colon");
    REQUIRE(!model.key.empty() || !model.base_url.empty(), text, ": set ", service.variable,
            "_API_KEY to your key, or ", service.variable, "_BASE_URL to a server that needs none");
    REQUIRE(
        std::all_of(model.key.begin(), model.key.end(), [](char c) { return c > ' ' && c < 0x7f; }),
        service.variable, "_API_KEY has characters that no key has");
    if (model.base_url.empty()) model.base_url = service.usual_url;
    parse_url(model.base_url);
    return model;
  }
  return std::nullopt;
}

RemoteAnswer ask_remote(const RemoteModel& model, std::span<const Message> messages,
                        const RemoteOptions& options,
                        const std::function<void(std::string_view)>& on_text,
                        const std::function<bool()>& cancelled) {
  RemoteAnswer answer;
  const RemoteRequest asked = remote_request(model, messages, options);
  PostRequest request{
      .url = parse_url(model.base_url), .headers = asked.headers, .body = dump_json(asked.body)};
  request.url.path += asked.path;
  constexpr size_t kKept = 1 << 16;
  std::string begin;  // of the body: what a refusal says
  EventReader events([&](std::string_view data) {
    if (data == "[DONE]") return;
    const size_t before = answer.text.size();
    read_remote_event(model.kind, parse_json(data, concat(model.name, "'s answer")), answer);
    if (on_text && answer.text.size() > before)
      on_text(std::string_view(answer.text).substr(before));
  });
  const auto on_body = [&](std::string_view bytes) {
    if (begin.size() < kKept) begin += bytes.substr(0, kKept - begin.size());
    events.push(bytes);
  };
  const int status = post(request, on_body, cancelled);
  answer.is_cancelled = status == 0;
  REQUIRE(status == 0 || status == 200, model.name, " at ", model.base_url, " answers with status ",
          status, ": ", refusal(begin));
  return answer;
}

}  // namespace malssi
