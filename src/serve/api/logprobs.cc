#include "serve/api/logprobs.h"

#include <algorithm>

#include "base/error.h"
#include "serve/api_error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// What cannot come has -infinity, which JSON does not have.
double finite(double logprob) { return std::max(logprob, -9999.0); }

Json token_json(const Tokenizer& tokenizer, int32_t id, double logprob) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
  Json json;
  json["token"] = repair_utf8(bytes);
  json["logprob"] = finite(logprob);
  json["bytes"] = std::move(list);
  json["id"] = id;
  return json;
}

}  // namespace

int64_t read_chat_logprobs(const Fields& request) {
  const bool wanted = request.boolean("logprobs").value_or(false);
  const auto top = request.integer("top_logprobs", 0, kMostAlternatives);
  if (top.value_or(0) > 0 && !wanted)
    throw ApiError(400, "top_logprobs needs \"logprobs\": true", "top_logprobs", "invalid_value");
  return wanted ? top.value_or(0) : -1;
}

int64_t read_completion_logprobs(const Fields& request) {
  return request.integer("logprobs", 0, kMostAlternatives).value_or(-1);
}

Json chat_logprobs(const Tokenizer& tokenizer, std::span<const GeneratedToken> tokens) {
  Json list = Json::array();
  for (const GeneratedToken& token : tokens) {
    Json entry = token_json(tokenizer, token.id, token.logprob);
    Json& top = entry["top_logprobs"] = Json::array();
    for (const TokenLogprob& other : token.top)
      top.push_back(token_json(tokenizer, other.id, other.logprob));
    list.push_back(std::move(entry));
  }
  return list;
}

Json completion_logprobs(const Tokenizer& tokenizer, std::span<const GeneratedToken> tokens,
                         int64_t& offset) {
  Json json;
  for (const char* key : {"tokens", "token_logprobs", "top_logprobs", "text_offset"})
    json[key] = Json::array();
  for (const GeneratedToken& token : tokens) {
    const std::string_view bytes = tokenizer.token_bytes(token.id);
    json["tokens"].push_back(repair_utf8(bytes));
    json["token_logprobs"].push_back(finite(token.logprob));
    Json top = Json::object();
    for (const TokenLogprob& other : token.top)
      top[repair_utf8(tokenizer.token_bytes(other.id))] = finite(other.logprob);
    json["top_logprobs"].push_back(token.top.empty() ? Json() : std::move(top));
    json["text_offset"].push_back(offset);
    offset += std::ssize(bytes);
  }
  return json;
}

}  // namespace malssi
