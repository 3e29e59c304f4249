#include "serve/api/models.h"

#include "base/error.h"
#include "serve/api/call.h"
#include "serve/api/fields.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

Json model_json(const ModelState& model, const std::string& adapter) {
  Json json;
  json["id"] = adapter.empty() ? model.name : model.name + ":" + adapter;
  json["object"] = "model";
  json["created"] = model.created;
  json["owned_by"] = "malssi";
  json["root"] = model.name;
  json["adapters"] = adapter.empty() ? Json(model.adapters) : Json::array();
  json["loaded"] = model.is_loaded;
  json["chats"] = model.has_chat ? Json(*model.has_chat) : Json();
  json["bytes"] = model.bytes;
  return json;
}

std::vector<Json> all_models(const Hub& hub) {
  std::vector<Json> all;
  for (const ModelState& model : hub.models()) {
    all.push_back(model_json(model, ""));
    for (const std::string& adapter : model.adapters) all.push_back(model_json(model, adapter));
  }
  return all;
}

std::string model_of_body(const HttpRequest& request) {
  const Json body = read_body(request);
  return Fields(body).need_text("model");
}

HttpReply state_reply(const Hub& hub, const std::string& name) {
  for (const Json& model : all_models(hub))
    if (model["id"] == name) return json_reply(model);
  throw ApiError(404, concat("the model '", message_line(name), "' does not exist"), "model",
                 "model_not_found");
}

}  // namespace

void list_models(Hub& hub, Exchange& exchange) {
  Json body;
  body["object"] = "list";
  body["data"] = all_models(hub);
  exchange.reply(json_reply(body));
}

void tell_model(Hub& hub, Exchange& exchange) {
  const std::string& path = exchange.request().path;
  exchange.reply(state_reply(hub, path.substr(path.rfind('/') + 1)));
}

void load_model_named(Hub& hub, const std::shared_ptr<Exchange>& exchange) {
  const std::string name = model_of_body(exchange->request());
  const Hub::Ticket ticket = hub.admit();
  hub.use(name, [&hub, exchange, ticket, name](const ModelUse&, const std::exception_ptr& error) {
    answer_or_refuse(*exchange, [&] {
      if (error) std::rethrow_exception(error);
      exchange->reply(state_reply(hub, name));
    });
  });
}

void unload_model_named(Hub& hub, Exchange& exchange) {
  const std::string name = model_of_body(exchange.request());
  hub.unload(name);
  exchange.reply(state_reply(hub, name));
}

}  // namespace malssi
