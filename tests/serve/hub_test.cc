#include "serve/hub/hub.h"

#include <gtest/gtest.h>

#include <future>

#include "serve/api_tools.h"

namespace malssi {
namespace {

const std::string kPath = "/v1/chat/completions";

TEST(ModelSpec, TakesItsNameFromThePath) {
  ScratchFolder folder;
  EXPECT_EQ(parse_model_spec("runs/demo/model").name, "demo");
  EXPECT_EQ(parse_model_spec("runs/demo/").name, "demo");
  EXPECT_EQ(parse_model_spec("a/Llama-1B.Q4_0.gguf").name, "Llama-1B.Q4_0");
  EXPECT_EQ(parse_model_spec("small=a/b").name, "small");
  EXPECT_EQ(parse_model_spec("small=a/b").path, "a/b");
  for (const char* bad : {"=a", "a b=c", "a:b=c", "/", ""})
    EXPECT_NE(error_of([&] { parse_model_spec(bad); }), "") << bad;
  const AdapterSpec adapter = parse_adapter_spec("base:voice=runs/lora/adapter");
  EXPECT_EQ(adapter.base + "|" + adapter.name, "base|voice");
  EXPECT_EQ(parse_adapter_spec("runs/lora/adapter").name, "lora");
}

TEST(Hub, RefusesOptionsThatCannotWork) {
  ScratchFolder folder;
  EXPECT_TRUE(contains(error_of([] { Hub{{}}; }), "nothing to serve"));
  const ModelSpec here{"a", folder.path()};
  EXPECT_TRUE(contains(error_of([&] { Hub{{.models = {here, here}}}; }), "two models"));
  EXPECT_TRUE(contains(error_of([&] { Hub{{.models = {{"a", folder / "none"}}}}; }), "no model"));
  EXPECT_TRUE(contains(error_of([&] { Hub{{.models = {here}, .slots = 0}}; }), "slots"));
  EXPECT_TRUE(contains(error_of([&] {
                         Hub{{.models = {here}, .adapters = {{"v", folder.path(), "b"}}}};
                       }),
                       "not served"));
}

TEST(Hub, RefusesRequestsThatFindNoPlace) {
  TinyApi api({.slots = 1, .queue = 2});
  Json body = chat_body("tiny", 1500);
  body["logit_bias"] = {{"256", -100}, {"260", -100}};
  std::vector<std::shared_ptr<FakeExchange>> running;
  for (int i = 0; i < 3; ++i) running.push_back(api.start(kPath, body));
  const auto refused = api.ask(kPath, chat_body());
  EXPECT_EQ(refused->status(), 429);
  EXPECT_EQ(refused->json()["error"]["code"], "queue_full");
  EXPECT_EQ(refused->answer().headers[0].first, "retry-after");
  for (const auto& each : running) each->leave();
  for (int i = 0; i < 1000; ++i) {
    if (api.ask(kPath, chat_body())->status() == 200) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  FAIL() << "places are not given back";
}

// Waits until the engine's thread has let go of models without work: between two tasks it makes a pass of each.
void settle(Hub& hub) {
  for (int i = 0; i < 2; ++i) {
    const auto done = std::make_shared<std::promise<void>>();
    hub.compute([done] { done->set_value(); });
    done->get_future().wait();
  }
}

TEST(Hub, UnloadsTheLongestUnusedModelForAnother) {
  ScratchFolder folder;
  write_tiny_model(folder / "a");
  write_tiny_model(folder / "b");
  const ServedModel one({"a", folder / "a"}, {}, {});
  TinyApi api({.models = {{"a", folder / "a"}, {"b", folder / "b"}, {"c", folder / "b"}},
               .memory_limit = 5 * one.bytes() / 2});
  const auto loaded = [&] {
    std::string names;
    for (const ModelState& model : api.hub->models())
      if (model.is_loaded) names += model.name;
    return names;
  };
  for (const char* name : {"a", "b", "a"}) {
    EXPECT_EQ(api.ask(kPath, chat_body(name))->status(), 200);
    settle(*api.hub);
  }
  EXPECT_EQ(loaded(), "ab");
  EXPECT_EQ(api.ask(kPath, chat_body("c"))->status(), 200);
  EXPECT_EQ(loaded(), "ac");
}

TEST(Hub, TellsWhenNoModelCanMakeRoom) {
  ScratchFolder folder;
  write_tiny_model(folder / "a");
  TinyApi api({.models = {{"a", folder / "a"}}, .memory_limit = 1000});
  const auto refused = api.ask(kPath, chat_body("a"));
  EXPECT_EQ(refused->status(), 503);
  EXPECT_EQ(refused->json()["error"]["code"], "no_memory");
}

TEST(Hub, ADamagedModelIsToldWithoutItsPath) {
  ScratchFolder folder;
  write_tiny_model(folder / "a");
  overwrite(folder / "a/model.safetensors", "nonsense");
  std::string log;
  TinyApi api(
      {.models = {{"a", folder / "a"}}, .log = [&](const std::string& line) { log += line; }});
  const auto refused = api.ask(kPath, chat_body("a"));
  EXPECT_EQ(refused->status(), 503);
  EXPECT_FALSE(contains(refused->answer().body, folder.path().string()));
  EXPECT_TRUE(contains(log, folder.path().string()));
  EXPECT_EQ(api.hub->failure(), "");  // it was not to be there from the start
  Hub hub({.models = {{"a", folder / "a"}}});
  hub.start();
  for (int i = 0; i < 1000 && hub.failure().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_TRUE(contains(hub.failure(), folder.path().string()));
}

TEST(Hub, AnswersWithAdaptersByName) {
  ScratchFolder folder;
  write_tiny_model(folder / "a");
  write_tiny_adapter(folder / "first", 1);
  write_tiny_adapter(folder / "second", 2);
  TinyApi api({.models = {{"a", folder / "a"}},
               .adapters = {{"first", folder / "first"}, {"second", folder / "second", "a"}}});
  const auto answer = [&](const std::string& model, const Json& adapters) {
    Json body = chat_body(model, 24);
    body["temperature"] = 0;
    body["logprobs"] = true;
    if (!adapters.is_null()) body["adapters"] = adapters;
    const auto exchange = api.ask(kPath, body);
    EXPECT_EQ(exchange->status(), 200) << exchange->answer().body;
    return exchange->json()["choices"][0]["logprobs"];
  };
  const Json plain = answer("a", nullptr), first = answer("a:first", nullptr),
             second = answer("a:second", nullptr);
  EXPECT_NE(plain, first);
  EXPECT_NE(first, second);
  EXPECT_EQ(answer("a", {"first"}), first);
  EXPECT_EQ(answer("a", {{"second", 1.0}}), second);
  EXPECT_EQ(answer("a:first", Json::array()), plain);
  EXPECT_EQ(answer("a:first", {{"first", 0}}), plain);
  EXPECT_EQ(api.get("/v1/models")->json()["data"].size(), 3u);
  EXPECT_EQ(api.get("/v1/models/a:first")->json()["root"], "a");
  EXPECT_EQ(api.ask(kPath, chat_body("a:third"))->status(), 404);
}

TEST(Hub, EndsAnswersThatTakeTooLong) {
  TinyApi api({.time_limit = 0.02});
  Json body = chat_body("tiny", 1900);
  body["logit_bias"] = {{"256", -100}, {"260", -100}};
  const auto late = api.ask(kPath, body);
  EXPECT_EQ(late->status(), 504);
  EXPECT_EQ(late->json()["error"]["code"], "timeout");
  body["stream"] = true;
  const auto stream = api.ask(kPath, body);
  EXPECT_EQ(stream->events().back()["error"]["code"], "timeout");
}

TEST(Hub, StopsWithGrace) {
  TinyApi api;
  const auto short_one = api.start(kPath, chat_body("tiny", 30));
  Json body = chat_body("tiny", 1900);
  body["logit_bias"] = {{"256", -100}, {"260", -100}};
  const auto long_one = api.start(kPath, body);
  api.hub->stop(0.3);
  EXPECT_TRUE(short_one->wait(0.1));
  EXPECT_EQ(short_one->status(), 200);
  ASSERT_TRUE(long_one->wait(0.1));
  if (long_one->status() != 200) {
    EXPECT_EQ(long_one->json()["error"]["code"], "shutting_down");
  }
  EXPECT_EQ(api.start(kPath, chat_body())->status(), 503);
}

TEST(Hub, TellsWhatItDid) {
  TinyApi api;
  api.ask(kPath, chat_body("tiny", 10));
  for (int i = 0; i < 1000 && api.hub->statistics().answer_tokens < 10; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const HubStatistics s = api.hub->statistics();
  EXPECT_EQ(s.finished, 1);
  EXPECT_EQ(s.answer_tokens, 10);
  EXPECT_EQ(s.first_token.count(), 1);
  EXPECT_EQ(s.between_tokens.count(), 9);
  EXPECT_EQ(s.models, 1);
  EXPECT_GT(s.cache_use, 0);
  const std::string text = prometheus_text(s);
  EXPECT_TRUE(contains(text, "malssi_generation_tokens_total 10\n"));
  EXPECT_TRUE(contains(text, "malssi_time_to_first_token_seconds_count 1\n"));
  EXPECT_TRUE(contains(text, "malssi_inter_token_latency_seconds_bucket{le=\"+Inf\"} 9\n"));
}

}  // namespace
}  // namespace malssi
