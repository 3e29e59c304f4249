#include <gtest/gtest.h>

#include "serve/api_tools.h"
#include "text/utf8.h"

namespace malssi {
namespace {

const std::string kPath = "/v1/chat/completions";

TEST(Chat, AnswersInOpenAisShape) {
  TinyApi api;
  const auto exchange = api.ask(kPath, chat_body());
  ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
  const Json json = exchange->json();
  EXPECT_EQ(json["object"], "chat.completion");
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("chatcmpl-"));
  EXPECT_EQ(json["model"], "tiny");
  EXPECT_TRUE(json["system_fingerprint"].get<std::string>().starts_with("fp_"));
  ASSERT_EQ(json["choices"].size(), 1u);
  EXPECT_EQ(json["choices"][0]["message"]["role"], "assistant");
  EXPECT_TRUE(json["choices"][0]["message"]["content"].is_string());
  EXPECT_EQ(json["choices"][0]["finish_reason"], "length");
  EXPECT_TRUE(json["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(json["usage"]["completion_tokens"], 12);
  EXPECT_EQ(json["usage"]["total_tokens"].get<int>(),
            12 + json["usage"]["prompt_tokens"].get<int>());
}

// What a stream's deltas add up to.
Json joined(const std::vector<Json>& events, int64_t index = 0) {
  Json message{{"content", ""}, {"reasoning_content", ""}, {"tool_calls", Json::array()}};
  Json finish;
  Json tokens = Json::array();
  for (const Json& event : events)
    for (const Json& choice : event["choices"]) {
      if (choice["index"] != index) continue;
      const Json& delta = choice["delta"];
      for (const char* key : {"content", "reasoning_content"})
        if (delta.contains(key))
          message[key] = message[key].get<std::string>() + delta[key].get<std::string>();
      if (delta.contains("tool_calls")) message["tool_calls"].push_back(delta["tool_calls"][0]);
      if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"];
      if (!choice["logprobs"].is_null())
        for (const Json& token : choice["logprobs"]["content"]) tokens.push_back(token);
    }
  return {{"message", message}, {"finish_reason", finish}, {"tokens", tokens}};
}

TEST(Chat, AStreamIsTheSameAnswer) {
  TinyApi api;
  Json body = chat_body("tiny", 40);
  body["logprobs"] = true;
  body["top_logprobs"] = 3;
  body["n"] = 2;
  const Json whole = api.ask(kPath, body)->json();
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  const auto exchange = api.ask(kPath, body);
  ASSERT_TRUE(exchange->is_stream());
  EXPECT_EQ(exchange->answer().content_type, "text/event-stream");
  EXPECT_EQ(exchange->pieces().back(), "data: [DONE]\n\n");
  const std::vector<Json> events = exchange->events();
  EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
  for (int64_t i = 0; i < 2; ++i) {
    const Json one = joined(events, i);
    const Json& choice = whole["choices"][static_cast<size_t>(i)];
    EXPECT_EQ(one["message"]["content"], choice["message"]["content"]);
    EXPECT_EQ(one["finish_reason"], choice["finish_reason"]);
    EXPECT_EQ(one["tokens"], choice["logprobs"]["content"]);
  }
  EXPECT_NE(joined(events, 0)["message"], joined(events, 1)["message"]);
  EXPECT_TRUE(events.back()["choices"].empty());
  EXPECT_EQ(events.back()["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
  for (size_t i = 0; i + 1 < events.size(); ++i) EXPECT_TRUE(events[i]["usage"].is_null());
}

TEST(Chat, TellsTokensWithTheirAlternatives) {
  TinyApi api;
  Json body = chat_body();
  body["logprobs"] = true;
  body["top_logprobs"] = 4;
  body["temperature"] = 0;
  const Json json = api.ask(kPath, body)->json();
  const Json& tokens = json["choices"][0]["logprobs"]["content"];
  ASSERT_FALSE(tokens.empty());
  for (const Json& token : tokens) {
    ASSERT_EQ(token["top_logprobs"].size(), 4u);
    EXPECT_EQ(token["id"], token["top_logprobs"][0]["id"]);
    EXPECT_LE(token["logprob"].get<double>(), 0);
    EXPECT_EQ(token["bytes"].size(), token["id"].get<int>() < 256 ? 1u : token["bytes"].size());
  }
}

TEST(Chat, StreamsNeverSplitACharacterOrShowAStopString) {
  TinyApi api;
  for (int seed = 0; seed < 8; ++seed) {
    Json body = chat_body("tiny", 60);
    body["seed"] = seed;
    const std::string whole =
        api.ask(kPath, body)->json()["choices"][0]["message"]["content"].get<std::string>();
    if (whole.size() < 8) continue;
    // Some characters from the middle as the stop string.
    size_t begin = whole.size() / 2;
    while ((whole[begin] & 0xc0) == 0x80) ++begin;
    size_t end = std::min(begin + 4, whole.size());
    while (end < whole.size() && (whole[end] & 0xc0) == 0x80) ++end;
    const std::string stop = whole.substr(begin, end - begin);
    if (stop.find("\xef\xbf\xbd") != stop.npos) continue;  // stands for broken bytes
    body["stop"] = stop;
    body["stream"] = true;
    const auto exchange = api.ask(kPath, body);
    const Json one = joined(exchange->events());
    EXPECT_EQ(one["message"]["content"], whole.substr(0, whole.find(stop)));
    EXPECT_EQ(one["finish_reason"], "stop");
    for (const std::string& piece : exchange->pieces()) EXPECT_TRUE(is_valid_utf8(piece));
  }
}

TEST(Chat, GoesOnWithTheLastMessage) {
  TinyApi api;
  Json body = chat_body();
  body["temperature"] = 0;
  body["logprobs"] = true;
  for (int special = 256; special < 264; ++special)
    body["logit_bias"][std::to_string(special)] = -100;
  const Json whole = api.ask(kPath, body)->json();
  const auto text = [](const Json& token) { return token["token"].get<std::string>(); };
  const Json& tokens = whole["choices"][0]["logprobs"]["content"];
  std::string begun;
  size_t kept = 0;
  while (kept < 4 && is_valid_utf8(begun + text(tokens[kept])) &&
         text(tokens[kept]) != "\xef\xbf\xbd")
    begun += text(tokens[kept++]);
  body["messages"].push_back({{"role", "assistant"}, {"content", begun}});
  body["continue_final_message"] = true;
  body["max_tokens"] = 12 - static_cast<int>(kept);
  const Json rest = api.ask(kPath, body)->json();
  const Json& more = rest["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(more.size() + kept, tokens.size());
  for (size_t i = 0; i < more.size(); ++i) EXPECT_EQ(more[i]["id"], tokens[i + kept]["id"]);
}

TEST(Chat, SharesAPromptWithinOneKeyOnly) {
  TinyApi api;
  const auto cached = [&](const std::string& owner) {
    return api.ask(kPath, chat_body(), owner)
        ->json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        .get<int>();
  };
  EXPECT_EQ(cached("a"), 0);
  EXPECT_GT(cached("a"), 0);
  EXPECT_EQ(cached("b"), 0);
}

TEST(Chat, ReadsThePromptOfManyAnswersOnce) {
  TinyApi api;
  Json body = chat_body();
  body["n"] = 6;
  const int prompt = api.ask(kPath, body)->json()["usage"]["prompt_tokens"].get<int>();
  for (int i = 0; i < 1000 && api.hub->statistics().answer_tokens < 72; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_LE(api.hub->statistics().prompt_tokens, prompt + 5);
  EXPECT_EQ(api.hub->statistics().reused_tokens, 5 * (prompt - 1));
}

TEST(Chat, EndsWhenTheClientLeaves) {
  TinyApi api;
  Json body = chat_body("tiny", 1900);
  body["stream"] = true;
  body["logit_bias"] = {{"256", -100}, {"260", -100}};
  const auto exchange =
      api.start({.method = "POST", .path = kPath, .body = dump_json(body), .id = "1"}, 4);
  ASSERT_TRUE(exchange->wait_for_pieces(4));
  for (int i = 0; i < 1000 && api.hub->statistics().running > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const HubStatistics statistics = api.hub->statistics();
  EXPECT_EQ(statistics.running, 0);
  EXPECT_EQ(statistics.cancelled, 1);
  EXPECT_LE(exchange->pieces().size(), 5u);  // a pass may have been under way
  EXPECT_EQ(api.ask(kPath, chat_body())->status(), 200);
}

TEST(Chat, AnswersManyAtOnceAsOneAtATime) {
  TinyApi api;
  std::vector<Json> alone;
  std::vector<std::shared_ptr<FakeExchange>> together;
  for (int i = 0; i < 20; ++i) {
    Json body = chat_body(i % 2 ? "tiny" : "qwen", 20);
    body["seed"] = i;
    alone.push_back(api.ask(kPath, body)->json()["choices"]);
  }
  for (int i = 0; i < 20; ++i) {
    Json body = chat_body(i % 2 ? "tiny" : "qwen", 20);
    body["seed"] = i;
    together.push_back(api.start(kPath, body));
  }
  for (size_t i = 0; i < together.size(); ++i) {
    ASSERT_TRUE(together[i]->wait());
    EXPECT_EQ(together[i]->json()["choices"], alone[i]);
  }
}

TEST(Chat, KeepsToASchema) {
  TinyApi api;
  const Json schema = {{"type", "object"},
                       {"properties",
                        {{"likes", {{"enum", {"tea", "rain"}}}},
                         {"count", {{"type", "integer"}, {"minimum", 0}, {"maximum", 99}}}}},
                       {"required", {"likes", "count"}},
                       {"additionalProperties", false}};
  for (const std::string model : {"tiny", "qwen"}) {
    Json body = chat_body(model, 200);
    body["response_format"] = {{"type", "json_schema"},
                               {"json_schema", {{"name", "taste"}, {"schema", schema}}}};
    const auto exchange = api.ask(kPath, body);
    ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
    const Json choice = exchange->json()["choices"][0];
    EXPECT_EQ(choice["finish_reason"], "stop");
    const Json value = parse_json(choice["message"]["content"].get<std::string>(), "answer");
    EXPECT_TRUE(value["likes"] == "tea" || value["likes"] == "rain");
    EXPECT_TRUE(value["count"].is_number_integer());
  }
}

TEST(Chat, TellsThoughtsApart) {
  TinyApi api;
  Json body = chat_body("qwen", 30);
  body["chat_template_kwargs"] = {{"enable_thinking", true}};
  const Json choice = api.ask(kPath, body)->json()["choices"][0];
  EXPECT_EQ(choice["message"]["content"], "");  // it never ends its thoughts
  EXPECT_FALSE(choice["message"]["reasoning_content"].get<std::string>().empty());
}

TEST(Chat, RefusesAPromptThatIsTooLongBeforeReadingItAll) {
  TinyApi api;
  Json body = chat_body();
  for (const size_t size : {size_t{3000}, size_t{7} << 20}) {
    body["messages"][0]["content"] = std::string(size, 'a');
    const auto begin = std::chrono::steady_clock::now();
    const auto exchange = api.ask(kPath, body);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(exchange->status(), 400);
    EXPECT_EQ(exchange->json()["error"]["code"], "context_length_exceeded");
    EXPECT_LT(taken.count(), 5);
  }
}

TEST(Chat, OneBadRequestHurtsNoOther) {
  TinyApi api;
  Json good = chat_body("tiny", 300);
  good["logit_bias"] = {{"256", -100}, {"260", -100}};
  const auto running = api.start(kPath, good);
  Json bad = chat_body();
  bad["response_format"] = {
      {"type", "json_schema"},
      {"json_schema", {{"name", "x"}, {"schema", {{"not", {{"type", "null"}}}}}}}};
  const auto refused = api.ask(kPath, bad);
  EXPECT_EQ(refused->status(), 400);
  EXPECT_EQ(refused->json()["error"]["param"], "response_format");
  ASSERT_TRUE(running->wait());
  EXPECT_EQ(running->status(), 200);
}

}  // namespace
}  // namespace malssi
