#include "serve/api/tokens.h"

#include "base/error.h"
#include "serve/api/chat_prompt.h"
#include "serve/api/messages.h"
#include "serve/api_error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr int64_t kLongestText = 1 << 20, kMostTokens = 1 << 20;

std::vector<int32_t> ids_of(const Fields& request, const ServedModel& model) {
  if (request.find("messages")) {
    ChatRequest chat{.messages = read_messages(request, "messages"),
                     .tools = read_tools(request, ToolShape::nested)};
    chat.opens_turn = request.boolean("add_generation_prompt").value_or(true);
    return chat_prompt(model, std::move(chat)).ids;
  }
  const char* key = request.find("content") ? "content" : "prompt";
  const std::string text = request.need_text(key);
  if (std::ssize(text) > kLongestText)
    throw ApiError(400,
                   concat(key, " has ", text.size(), " bytes, expected at most ", kLongestText),
                   key, "too_long");
  const bool adds = request.boolean("add_special_tokens").value_or(true);
  const bool parses = request.boolean("parse_special").value_or(false);
  return model.tokenizer().encode(text, {.parse_special = parses, .add_special = adds});
}

}  // namespace

void answer_tokenize(Hub&, Call call) {
  const Fields request(call.body);
  const ServedModel& model = *call.use.model;
  const bool names = request.boolean("return_token_strs").value_or(false);
  const std::vector<int32_t> ids = ids_of(request, model);
  Json body;
  body["count"] = ids.size();
  body["max_model_len"] = model.capacity();
  body["tokens"] = ids;
  if (names) {
    Json& texts = body["token_strs"] = Json::array();
    for (const int32_t id : ids) texts.push_back(repair_utf8(model.tokenizer().token_bytes(id)));
  }
  call.exchange->reply(json_reply(body));
}

void answer_detokenize(Hub&, Call call) {
  const Fields request(call.body);
  const Tokenizer& tokenizer = call.use.model->tokenizer();
  request.need("tokens");
  std::vector<int32_t> ids;
  for (const Json& id : *request.list("tokens", kMostTokens)) {
    const int64_t most = tokenizer.vocab_size() - 1;
    const bool is_whole = id.is_number_integer();
    if (!is_whole || id.get<double>() < 0 || id.get<double>() > static_cast<double>(most))
      refuse_field("tokens", id, concat("tokens from 0 to ", most));
    ids.push_back(id.get<int32_t>());
  }
  const std::string text = repair_utf8(tokenizer.decode(ids));
  Json body;
  body["prompt"] = text;
  body["content"] = text;
  call.exchange->reply(json_reply(body));
}

}  // namespace malssi
