#include "serve/api/chat_writer.h"

#include "base/error.h"
#include "serve/api/logprobs.h"
#include "serve/api_error.h"

namespace malssi {
namespace {

using Kind = AnswerPart::Kind;

Json call_json(const std::string& name) {
  Json json;
  json["id"] = fresh_id("", 9);  // Mistral's templates take no other length
  json["type"] = "function";
  json["function"]["name"] = name;
  json["function"]["arguments"] = "";
  return json;
}

// What the two kinds of writer share: the answers' texts, taken apart.
class ChatWriter : public AnswerWriter {
 public:
  ChatWriter(const ChatAnswers& answers, std::shared_ptr<Exchange> exchange)
      : answers_(answers), exchange_(std::move(exchange)) {
    for (int64_t i = 0; i < answers.count; ++i) parsers_.emplace_back(answers.form);
  }

 protected:
  AnswerParser& parser(int64_t answer) { return parsers_[static_cast<size_t>(answer)]; }
  std::string finish_reason(int64_t answer, const Generation& whole) {
    const std::string_view reason = openai_finish(whole.reason);
    const bool calls = reason == "stop" && parser(answer).calls() > 0;
    return calls ? "tool_calls" : std::string(reason);
  }
  Json logprobs(std::span<const GeneratedToken> tokens) const {
    Json json;
    if (!answers_.tells_logprobs) return json;
    json["content"] = chat_logprobs(answers_.model->tokenizer(), tokens);
    return json;
  }

  ChatAnswers answers_;
  std::shared_ptr<Exchange> exchange_;

 private:
  std::vector<AnswerParser> parsers_;
};

class ChatReply : public ChatWriter {
 public:
  ChatReply(const ChatAnswers& answers, std::shared_ptr<Exchange> exchange)
      : ChatWriter(answers, std::move(exchange)), collected_(static_cast<size_t>(answers.count)) {}

  void begin() override {}
  void text(int64_t answer, std::string_view text,
            std::span<const GeneratedToken> tokens) override {
    keep(answer, parser(answer).push(text), tokens);
  }
  void done(int64_t answer, const Generation& whole,
            std::span<const GeneratedToken> tokens) override {
    keep(answer, parser(answer).finish(), tokens);
    at(answer).finish_reason = finish_reason(answer, whole);
  }
  void end(const Usage& usage) override {
    Json body = head_json(answers_.head, "chat.completion");
    Json& choices = body["choices"] = Json::array();
    for (int64_t i = 0; i < answers_.count; ++i) choices.push_back(choice(i));
    body["usage"] = usage_json(usage);
    exchange_->reply(json_reply(body));
  }
  void fail(const std::exception& error) override { exchange_->reply(error_reply(error)); }

 private:
  struct Collected {
    std::string reasoning, content, finish_reason;
    Json calls = Json::array();
    std::vector<std::string> arguments;
    std::vector<GeneratedToken> tokens;
  };
  Collected& at(int64_t answer) { return collected_[static_cast<size_t>(answer)]; }

  void keep(int64_t answer, const std::vector<AnswerPart>& parts,
            std::span<const GeneratedToken> tokens) {
    Collected& all = at(answer);
    all.tokens.insert(all.tokens.end(), tokens.begin(), tokens.end());
    for (const AnswerPart& part : parts) {
      if (part.kind == Kind::reasoning) all.reasoning += part.text;
      if (part.kind == Kind::content) all.content += part.text;
      if (part.kind == Kind::call) {
        all.calls.push_back(call_json(part.text));
        all.arguments.emplace_back();
      }
      if (part.kind == Kind::arguments) all.arguments[static_cast<size_t>(part.call)] += part.text;
    }
  }

  Json choice(int64_t answer) {
    Collected& all = at(answer);
    Json message;
    message["role"] = "assistant";
    message["content"] = all.content.empty() && !all.calls.empty() ? Json() : Json(all.content);
    message["refusal"] = nullptr;
    if (!all.reasoning.empty()) message["reasoning_content"] = all.reasoning;
    for (size_t i = 0; i < all.arguments.size(); ++i)
      all.calls[i]["function"]["arguments"] = all.arguments[i];
    if (!all.calls.empty()) message["tool_calls"] = all.calls;
    Json json;
    json["index"] = answer;
    json["message"] = std::move(message);
    json["logprobs"] = logprobs(all.tokens);
    json["finish_reason"] = all.finish_reason;
    return json;
  }

  std::vector<Collected> collected_;
};

class ChatStream : public ChatWriter {
 public:
  ChatStream(const ChatAnswers& answers, std::shared_ptr<Exchange> exchange)
      : ChatWriter(answers, exchange),
        stream_(std::move(exchange), head_json(answers.head, "chat.completion.chunk"),
                answers.tells_usage) {}

  void begin() override {
    stream_.begin();
    for (int64_t i = 0; i < answers_.count; ++i) {
      Json delta;
      delta["role"] = "assistant";
      delta["content"] = "";
      send(i, std::move(delta), {});
    }
  }
  void text(int64_t answer, std::string_view text,
            std::span<const GeneratedToken> tokens) override {
    send(answer, parser(answer).push(text), tokens);
  }
  void done(int64_t answer, const Generation& whole,
            std::span<const GeneratedToken> tokens) override {
    send(answer, parser(answer).finish(), tokens);
    send(answer, Json::object(), {}, finish_reason(answer, whole));
  }
  void end(const Usage& usage) override { stream_.end(usage); }
  void fail(const std::exception& error) override { stream_.fail(error); }

 private:
  static Json delta_of(const AnswerPart& part) {
    Json delta;
    if (part.kind == Kind::reasoning) delta["reasoning_content"] = part.text;
    if (part.kind == Kind::content) delta["content"] = part.text;
    if (part.kind == Kind::reasoning || part.kind == Kind::content) return delta;
    Json call;
    call["index"] = part.call;
    if (part.kind == Kind::call)
      call.update(call_json(part.text));
    else
      call["function"]["arguments"] = part.text;
    delta["tool_calls"] = Json::array({std::move(call)});
    return delta;
  }

  // Tokens go with the first part; where nothing can be shown yet, alone.
  void send(int64_t answer, const std::vector<AnswerPart>& parts,
            std::span<const GeneratedToken> tokens) {
    if (parts.empty() && !tokens.empty()) return send(answer, Json::object(), tokens);
    for (const AnswerPart& part : parts) {
      send(answer, delta_of(part), tokens);
      tokens = {};
    }
  }
  void send(int64_t answer, Json delta, std::span<const GeneratedToken> tokens,
            const std::string& finish = {}) {
    Json choice;
    choice["index"] = answer;
    choice["delta"] = std::move(delta);
    choice["logprobs"] = tokens.empty() ? Json() : logprobs(tokens);
    choice["finish_reason"] = finish.empty() ? Json() : Json(finish);
    stream_.send(std::move(choice));
  }

  ChunkStream stream_;
};

}  // namespace

std::shared_ptr<AnswerWriter> chat_reply(const ChatAnswers& answers,
                                         std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ChatReply>(answers, std::move(exchange));
}

std::shared_ptr<AnswerWriter> chat_stream(const ChatAnswers& answers,
                                          std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ChatStream>(answers, std::move(exchange));
}

}  // namespace malssi
