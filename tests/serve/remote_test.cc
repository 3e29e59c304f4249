// Remote models' protocols, without a network.
#include <gtest/gtest.h>
#include <stdlib.h>

#include "scratch.h"
#include "serve/http/client.h"
#include "serve/remote/event_reader.h"
#include "serve/remote/protocols.h"

namespace malssi {
namespace {

TEST(EventReader, FindsDataHoweverTheBytesAreCut) {
  const std::string body =
      ": hello\ndata: one\n\nevent: x\r\ndata:two\r\ndata: more\r\n\r\ndata:\n\ndata: cut";
  for (size_t piece = 1; piece <= body.size(); ++piece) {
    std::string seen;
    EventReader reader([&](std::string_view data) { seen += concat("[", data, "]"); });
    for (size_t at = 0; at < body.size(); at += piece) reader.push(body.substr(at, piece));
    EXPECT_EQ(seen, "[one][two\nmore][]");
  }
}

TEST(Url, IsTakenApart) {
  const Url url = parse_url("https://example.org:8443/v1/");
  EXPECT_TRUE(url.is_secure);
  EXPECT_EQ(url.host + "|" + url.port + "|" + url.path, "example.org|8443|/v1");
  EXPECT_EQ(parse_url("http://[::1]:80").host, "::1");
  EXPECT_EQ(parse_url("http://a").port + parse_url("https://a").port, "80443");
  for (const char* bad : {"", "example.org", "ftp://a", "http://", "http://a:x", "http://me@a",
                          "http://a b", "http://a:123456", "https://:443"})
    EXPECT_TRUE(is_one_line(error_of([&] { parse_url(bad); }))) << bad;
}

const std::vector<Message> kMessages = {
    {"system", "Be kind."}, {"user", "Tea?"}, {"assistant", "Yes."}, {"user", "Now?"}};

RemoteRequest asked(RemoteKind kind) {
  return remote_request({.kind = kind, .name = "m", .base_url = "http://a", .key = "k"}, kMessages,
                        {.max_tokens = 9, .temperature = 0.5, .stop = {"x"}});
}

TEST(RemoteModel, AsksInEachProtocol) {
  const RemoteRequest openai = asked(RemoteKind::openai);
  EXPECT_EQ(openai.path, "/chat/completions");
  EXPECT_EQ(openai.headers[0].second, "Bearer k");
  EXPECT_EQ(openai.body["messages"].size(), 4u);
  const RemoteRequest anthropic = asked(RemoteKind::anthropic);
  EXPECT_EQ(anthropic.path, "/v1/messages");
  EXPECT_EQ(anthropic.body["system"], "Be kind.");
  EXPECT_EQ(anthropic.body["messages"].size(), 3u);
  EXPECT_EQ(anthropic.body["stop_sequences"][0], "x");
  const RemoteRequest gemini = asked(RemoteKind::gemini);
  EXPECT_EQ(gemini.path, "/v1beta/models/m:streamGenerateContent?alt=sse");
  EXPECT_EQ(gemini.body["contents"][1]["role"], "model");
  EXPECT_EQ(gemini.body["generationConfig"]["maxOutputTokens"], 9);
}

RemoteAnswer answered(RemoteKind kind, std::initializer_list<const char*> events) {
  RemoteAnswer answer;
  for (const char* event : events) read_remote_event(kind, parse_json(event, "event"), answer);
  return answer;
}

TEST(RemoteModel, ReadsEachProtocol) {
  const RemoteAnswer openai =
      answered(RemoteKind::openai,
               {R"({"choices": [{"delta": {"role": "assistant", "content": null}}]})",
                R"({"choices": [{"delta": {"content": "Ye"}, "finish_reason": null}]})",
                R"({"choices": [{"delta": {"content": "s"}, "finish_reason": "length"}]})",
                R"({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})"});
  const RemoteAnswer anthropic = answered(
      RemoteKind::anthropic,
      {R"({"type": "message_start", "message": {"usage": {"input_tokens": 3}}})",
       R"({"type": "content_block_start", "content_block": {"type": "text", "text": ""}})",
       R"({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Yes"}})",
       R"({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 2}})",
       R"({"type": "message_stop"})"});
  const RemoteAnswer gemini = answered(
      RemoteKind::gemini,
      {R"({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "Yes"}]}}]})",
       R"({"candidates": [{"finishReason": "MAX_TOKENS"}],
           "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}})"});
  for (const RemoteAnswer& answer : {openai, anthropic, gemini}) {
    EXPECT_EQ(answer.text, "Yes");
    EXPECT_TRUE(answer.is_cut);
    EXPECT_EQ(answer.prompt_tokens, 3);
    EXPECT_EQ(answer.answer_tokens, 2);
  }
}

TEST(RemoteModel, WhatIsNotTheProtocolIsAnError) {
  for (const RemoteKind kind : {RemoteKind::openai, RemoteKind::anthropic, RemoteKind::gemini}) {
    const auto failure = [&](const char* event) {
      return error_of([&] { answered(kind, {event}); });
    };
    EXPECT_TRUE(contains(failure(R"({"error": {"message": "overloaded"}})"), "overloaded"));
    for (const char* odd : {"7", "[]", "null", "{}", R"({"choices": 7})", R"({"choices": [7]})",
                            R"({"candidates": {}})", R"({"type": "content_block_delta"})"})
      EXPECT_EQ(failure(odd), "") << odd;
  }
  EXPECT_TRUE(contains(error_of([] {
                         answered(RemoteKind::openai,
                                  {R"({"choices": [{"delta": {"content": 7}}]})"});
                       }),
                       "content"));
}

TEST(RemoteModel, NamesAreToldFromPaths) {
  ::unsetenv("OPENAI_BASE_URL");
  ::unsetenv("OPENAI_API_KEY");
  EXPECT_FALSE(remote_model("runs/demo/model"));
  EXPECT_TRUE(contains(error_of([] { remote_model("openai:gpt"); }), "OPENAI_API_KEY"));
  ::setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", 1);
  EXPECT_EQ(remote_model("openai:gpt")->name, "gpt");
  EXPECT_TRUE(is_one_line(error_of([] { remote_model("openai:"); })));
  EXPECT_TRUE(contains(
      error_of([] {
        ask_remote(*remote_model("openai:gpt"), std::vector<Message>{{"user", "Tea?"}}, {});
      }),
      "cannot reach 127.0.0.1:9"));
  ::unsetenv("OPENAI_BASE_URL");
}

}  // namespace
}  // namespace malssi
