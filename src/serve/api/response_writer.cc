#include "serve/api/response_writer.h"

#include "serve/api/event_stream.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

// Thoughts are not part of the answer's text.
class ResponseWriter : public AnswerWriter {
 public:
  explicit ResponseWriter(ResponseAnswer answer)
      : answer_(std::move(answer)), parser_(answer_.form) {}

 protected:
  // Takes more of the answer; returns what of it is to be shown.
  std::string keep(const std::vector<AnswerPart>& parts) {
    std::string shown;
    for (const AnswerPart& part : parts)
      if (part.kind == AnswerPart::Kind::content) shown += part.text;
    text_ += shown;
    return shown;
  }
  AnswerParser& parser() { return parser_; }
  void note(const Generation& whole) { is_cut_ = openai_finish(whole.reason) == "length"; }
  const ResponseAnswer& answer() const { return answer_; }

  Json part() const {
    Json json;
    json["type"] = "output_text";
    json["text"] = text_;
    json["annotations"] = Json::array();
    json["logprobs"] = Json::array();
    return json;
  }
  enum class Stage { begun, over };
  Json item(Stage stage) const {
    Json json;
    json["id"] = answer_.item;
    json["type"] = "message";
    json["status"] = stage == Stage::begun ? "in_progress" : is_cut_ ? "incomplete" : "completed";
    json["role"] = "assistant";
    json["content"] = stage == Stage::begun ? Json::array() : Json::array({part()});
    return json;
  }
  Json response(Stage stage, const Usage& usage) const {
    const bool is_over = stage == Stage::over;
    Json json;
    json["id"] = answer_.id;
    json["object"] = "response";
    json["created_at"] = answer_.created;
    json["status"] = !is_over ? "in_progress" : is_cut_ ? "incomplete" : "completed";
    json["background"] = false;
    json["error"] = nullptr;
    json["incomplete_details"] = nullptr;
    if (is_over && is_cut_) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    json["model"] = answer_.model;
    json["output"] = is_over ? Json::array({item(stage)}) : Json::array();
    json["parallel_tool_calls"] = true;
    json["previous_response_id"] = nullptr;
    json["store"] = false;
    json["tool_choice"] = "auto";
    json["tools"] = Json::array();
    json["truncation"] = "disabled";
    json.update(answer_.settings);
    json["usage"] = is_over ? usage_of(usage) : Json();
    return json;
  }

 private:
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
  std::string text_;
  bool is_cut_ = false;
};

class ResponseReply : public ResponseWriter {
 public:
  ResponseReply(ResponseAnswer answer, std::shared_ptr<Exchange> exchange)
      : ResponseWriter(std::move(answer)), exchange_(std::move(exchange)) {}

  void begin() override {}
  void text(int64_t, std::string_view text, std::span<const GeneratedToken>) override {
    keep(parser().push(text));
  }
  void done(int64_t, const Generation& whole, std::span<const GeneratedToken>) override {
    keep(parser().finish());
    note(whole);
  }
  void end(const Usage& usage) override {
    exchange_->reply(json_reply(response(Stage::over, usage)));
  }
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
      send(name, {{"response", response(Stage::begun, {})}});
    send("response.output_item.added", {{"output_index", 0}, {"item", item(Stage::begun)}});
    send("response.content_part.added", in_part({{"part", part()}}));
  }
  void text(int64_t, std::string_view text, std::span<const GeneratedToken>) override {
    show(keep(parser().push(text)));
  }
  void done(int64_t, const Generation& whole, std::span<const GeneratedToken>) override {
    show(keep(parser().finish()));
    note(whole);
  }
  void end(const Usage& usage) override {
    send("response.output_text.done",
         in_part({{"text", part()["text"]}, {"logprobs", Json::array()}}));
    send("response.content_part.done", in_part({{"part", part()}}));
    send("response.output_item.done", {{"output_index", 0}, {"item", item(Stage::over)}});
    const Json whole = response(Stage::over, usage);
    send(whole["status"] == "completed" ? "response.completed" : "response.incomplete",
         {{"response", whole}});
    stream_.end();
  }
  void fail(const std::exception& error) override { stream_.fail(error); }

 private:
  // What events about the message's text say of where it stands.
  Json in_part(const Json& more) const {
    Json json;
    json["item_id"] = answer().item;
    json["output_index"] = 0;
    json["content_index"] = 0;
    json.update(more);
    return json;
  }
  void show(const std::string& text) {
    if (!text.empty())
      send("response.output_text.delta", in_part({{"delta", text}, {"logprobs", Json::array()}}));
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
