#include "serve/api/response_writer.h"

#include "serve/api/event_stream.h"
#include "serve/api/output_item.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

using Kind = OutputItem::Kind;

// What the two kinds of writer share: the answer, taken apart into items.
class ResponseWriter : public AnswerWriter {
 public:
  explicit ResponseWriter(ResponseAnswer answer)
      : answer_(std::move(answer)), parser_(answer_.form) {}

  void text(int64_t, std::string_view text, std::span<const GeneratedToken>) override {
    take(parser_.push(text));
  }
  void done(int64_t, const Generation& whole, std::span<const GeneratedToken>) override {
    take(parser_.finish());
    if (items_.empty())
      open(OutputItem::message());  // an answer without a word is one all the same
    is_cut_ = openai_finish(whole.reason) == "length";
    closed();
  }

 protected:
  // The last item was begun, goes on by the text, and is over.
  virtual void opened() {}
  virtual void grew(const std::string&) {}
  virtual void closed() {}

  const OutputItem& item() const { return items_.back(); }
  int64_t item_index() const { return std::ssize(items_) - 1; }
  // Only the last item of an answer can have been cut.
  Json last_json() const { return item_json(items_.back(), status()); }

  Json begun_response() const { return response("in_progress", Json::array()); }
  Json whole_response(const Usage& usage) const {
    Json output = Json::array();
    for (size_t i = 0; i + 1 < items_.size(); ++i)
      output.push_back(item_json(items_[i], "completed"));
    output.push_back(last_json());
    Json json = response(status(), std::move(output));
    if (is_cut_) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    json["usage"] = usage_of(usage);
    return json;
  }

 private:
  std::string_view status() const { return is_cut_ ? "incomplete" : "completed"; }

  void open(OutputItem item) {
    if (!items_.empty()) closed();
    items_.push_back(std::move(item));
    opened();
  }

  void take(const std::vector<AnswerPart>& parts) {
    for (const AnswerPart& part : parts) {
      if (part.kind == AnswerPart::Kind::reasoning) continue;
      if (part.kind == AnswerPart::Kind::call) {
        open(OutputItem::function_call(part.text));
        continue;
      }
      const bool speaks = part.kind == AnswerPart::Kind::content;
      if (speaks && (items_.empty() || items_.back().kind == Kind::call))
        open(OutputItem::message());
      items_.back().text += part.text;
      grew(part.text);
    }
  }

  Json response(std::string_view status, Json output) const {
    Json json;
    json["id"] = answer_.id;
    json["object"] = "response";
    json["created_at"] = answer_.created;
    json["status"] = status;
    json["background"] = false;
    json["error"] = nullptr;
    json["incomplete_details"] = nullptr;
    json["model"] = answer_.model;
    json["output"] = std::move(output);
    json["previous_response_id"] = nullptr;
    json["store"] = false;
    json["truncation"] = "disabled";
    json.update(answer_.settings);
    json["usage"] = nullptr;
    return json;
  }

  static Json usage_of(const Usage& usage) {
    Json json;
    json["input_tokens"] = usage.prompt_tokens;
    json["input_tokens_details"]["cached_tokens"] = usage.cached_tokens;
    json["output_tokens"] = usage.answer_tokens;
    json["output_tokens_details"]["reasoning_tokens"] = 0;
    json["total_tokens"] = usage.prompt_tokens + usage.answer_tokens;
    return json;
  }

  ResponseAnswer answer_;
  AnswerParser parser_;
  std::vector<OutputItem> items_;
  bool is_cut_ = false;
};

class ResponseReply : public ResponseWriter {
 public:
  ResponseReply(ResponseAnswer answer, std::shared_ptr<Exchange> exchange)
      : ResponseWriter(std::move(answer)), exchange_(std::move(exchange)) {}

  void begin() override {}
  void end(const Usage& usage) override { exchange_->reply(json_reply(whole_response(usage))); }
  void fail(const std::exception& error) override { exchange_->reply(error_reply(error)); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

class ResponseStream : public ResponseWriter {
 public:
  ResponseStream(ResponseAnswer answer, std::shared_ptr<Exchange> exchange)
      : ResponseWriter(std::move(answer)), stream_(std::move(exchange)) {}

  void begin() override {
    stream_.begin();
    for (const char* name : {"response.created", "response.in_progress"})
      send(name, {{"response", begun_response()}});
  }
  void end(const Usage& usage) override {
    const Json whole = whole_response(usage);
    send(whole["status"] == "completed" ? "response.completed" : "response.incomplete",
         {{"response", whole}});
    stream_.end();
  }
  void fail(const std::exception& error) override { stream_.fail(error); }

 private:
  void opened() override {
    send("response.output_item.added",
         {{"output_index", item_index()}, {"item", item_json(item(), "in_progress")}});
    if (item().kind == Kind::message)
      send("response.content_part.added", in_item({{"part", text_part_json("")}}));
  }
  void grew(const std::string& text) override {
    if (item().kind == Kind::call)
      send("response.function_call_arguments.delta", in_item({{"delta", text}}));
    else
      send("response.output_text.delta", in_item({{"delta", text}, {"logprobs", Json::array()}}));
  }
  void closed() override {
    const std::string& text = item().text;
    if (item().kind == Kind::call) {
      send("response.function_call_arguments.done",
           in_item({{"name", item().name}, {"arguments", text}}));
    } else {
      send("response.output_text.done", in_item({{"text", text}, {"logprobs", Json::array()}}));
      send("response.content_part.done", in_item({{"part", text_part_json(text)}}));
    }
    send("response.output_item.done", {{"output_index", item_index()}, {"item", last_json()}});
  }

  // What events inside an item say of where they stand.
  Json in_item(const Json& more) const {
    Json json;
    json["item_id"] = item().id;
    json["output_index"] = item_index();
    if (item().kind == Kind::message) json["content_index"] = 0;
    json.update(more);
    return json;
  }
  void send(std::string_view name, const Json& more) {
    Json json;
    json["type"] = name;
    json["sequence_number"] = number_++;
    json.update(more);
    stream_.event(name, json);
  }

  EventStream stream_;
  int64_t number_ = 0;
};

}  // namespace

std::shared_ptr<AnswerWriter> response_reply(ResponseAnswer answer,
                                             std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ResponseReply>(std::move(answer), std::move(exchange));
}

std::shared_ptr<AnswerWriter> response_stream(ResponseAnswer answer,
                                              std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ResponseStream>(std::move(answer), std::move(exchange));
}

}  // namespace malssi
