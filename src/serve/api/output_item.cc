#include "serve/api/output_item.h"

#include "serve/api/call.h"

namespace malssi {

OutputItem OutputItem::message() { return {.kind = Kind::message, .id = fresh_id("msg_")}; }

OutputItem OutputItem::function_call(std::string name) {
  return {.kind = Kind::call,
          .id = fresh_id("fc_"),
          .name = std::move(name),
          .call = fresh_id("", 9)};  // Mistral's templates take no other length
}

Json text_part_json(const std::string& text) {
  Json json;
  json["type"] = "output_text";
  json["text"] = text;
  json["annotations"] = Json::array();
  json["logprobs"] = Json::array();
  return json;
}

Json item_json(const OutputItem& item, std::string_view status) {
  const bool is_begun = status == "in_progress";
  Json json;
  json["id"] = item.id;
  json["type"] = item.kind == OutputItem::Kind::call ? "function_call" : "message";
  json["status"] = status;
  if (item.kind == OutputItem::Kind::call) {
    json["call_id"] = item.call;
    json["name"] = item.name;
    json["arguments"] = is_begun ? "" : item.text;
  } else {
    json["role"] = "assistant";
    json["content"] = is_begun ? Json::array() : Json::array({text_part_json(item.text)});
  }
  return json;
}

}  // namespace malssi
