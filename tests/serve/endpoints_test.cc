// The smaller endpoints.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/base64.h"
#include "serve/api_tools.h"

namespace malssi {
namespace {

TEST(Completions, GoOnFromTextsAndTokens) {
  TinyApi api;
  Json body = {{"model", "tiny"}, {"prompt", "Mina"}, {"max_tokens", 6}, {"temperature", 0}};
  const Json by_text = api.ask("/v1/completions", body)->json();
  EXPECT_EQ(by_text["object"], "text_completion");
  EXPECT_EQ(by_text["choices"][0]["finish_reason"], "length");
  body["prompt"] = {77, 105, 110, 97};
  EXPECT_EQ(api.ask("/v1/completions", body)->json()["choices"], by_text["choices"]);
  body["prompt"] = {"Mina", "Juno"};
  body["n"] = 2;
  const Json many = api.ask("/v1/completions", body)->json();
  ASSERT_EQ(many["choices"].size(), 4u);
  EXPECT_EQ(many["choices"][0]["text"], by_text["choices"][0]["text"]);
  EXPECT_EQ(many["choices"][1]["text"], by_text["choices"][0]["text"]);
  EXPECT_EQ(many["choices"][3]["index"], 3);
  EXPECT_EQ(many["usage"]["completion_tokens"], 24);
}

TEST(Completions, StreamWithLogprobs) {
  TinyApi api;
  Json body = {
      {"model", "tiny"}, {"prompt", "Mina"}, {"max_tokens", 20}, {"seed", 3}, {"logprobs", 2}};
  const Json whole = api.ask("/v1/completions", body)->json()["choices"][0];
  ASSERT_EQ(whole["logprobs"]["tokens"].size(), whole["logprobs"]["text_offset"].size());
  EXPECT_EQ(whole["logprobs"]["top_logprobs"][0].size(), 2u);
  body["stream"] = true;
  const auto exchange = api.ask("/v1/completions", body);
  std::string text;
  Json tokens = Json::array(), offsets = Json::array();
  for (const Json& event : exchange->events()) {
    text += event["choices"][0]["text"].get<std::string>();
    for (const Json& token : event["choices"][0]["logprobs"]["tokens"]) tokens.push_back(token);
    for (const Json& at : event["choices"][0]["logprobs"]["text_offset"]) offsets.push_back(at);
  }
  EXPECT_EQ(text, whole["text"]);
  EXPECT_EQ(tokens, whole["logprobs"]["tokens"]);
  EXPECT_EQ(offsets, whole["logprobs"]["text_offset"]);
  EXPECT_EQ(exchange->pieces().back(), "data: [DONE]\n\n");
}

TEST(Embeddings, AreVectorsOfLengthOneInBothFormats) {
  TinyApi api;
  Json body = {{"model", "tiny"}, {"input", {"tea", "rain"}}};
  const Json json = api.ask("/v1/embeddings", body)->json();
  ASSERT_EQ(json["data"].size(), 2u);
  const auto vector = json["data"][1]["embedding"].get<std::vector<float>>();
  ASSERT_EQ(vector.size(), 16u);
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_EQ(json["usage"]["prompt_tokens"], 7);
  body["encoding_format"] = "base64";
  const auto bytes = from_base64(
      api.ask("/v1/embeddings", body)->json()["data"][1]["embedding"].get<std::string>());
  ASSERT_TRUE(bytes && bytes->size() == 64);
  std::vector<float> same(16);
  std::memcpy(same.data(), bytes->data(), 64);
  EXPECT_EQ(same, vector);
  body = {{"model", "tiny"}, {"input", {{116, 101, 97}}}, {"dimensions", 4}};
  EXPECT_EQ(api.ask("/v1/embeddings", body)->json()["data"][0]["embedding"].size(), 4u);
}

TEST(Embeddings, OfManyTextsLetAnswersGoOn) {
  TinyApi api;
  Json answer = chat_body("tiny", 50);
  answer["stream"] = true;
  const auto stream = api.start("/v1/chat/completions", answer);
  Json texts = Json::array();
  for (int i = 0; i < 500; ++i) texts.push_back(concat("text number ", i));
  const auto vectors = api.ask("/v1/embeddings", {{"model", "tiny"}, {"input", texts}});
  EXPECT_EQ(vectors->json()["data"].size(), 500u);
  EXPECT_TRUE(stream->wait());
}

TEST(Responses, AnswerWhole) {
  TinyApi api;
  const Json body = {{"model", "tiny"},
                     {"instructions", "Be kind."},
                     {"input", "Who likes tea?"},
                     {"max_output_tokens", 5},
                     {"logit_bias", {{"256", -100}, {"260", -100}}}};
  const Json json = api.ask("/v1/responses", body)->json();
  EXPECT_EQ(json["object"], "response");
  EXPECT_EQ(json["status"], "incomplete");
  EXPECT_EQ(json["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(json["instructions"], "Be kind.");
  EXPECT_EQ(json["output"][0]["content"][0]["type"], "output_text");
  EXPECT_EQ(json["usage"]["output_tokens"], 5);
}

TEST(Responses, StreamEventsInOpenAisOrder) {
  TinyApi api;
  const Json message = {{"role", "user"},
                        {"content", Json::array({Json{{"type", "input_text"}, {"text", "Tea?"}}})}};
  const Json format = {
      {"type", "json_schema"}, {"name", "word"}, {"schema", {{"enum", {"yes", "no"}}}}};
  const auto exchange = api.ask("/v1/responses", {{"model", "tiny"},
                                                  {"input", Json::array({message})},
                                                  {"text", {{"format", format}}},
                                                  {"stream", true}});
  std::vector<std::string> names;
  std::string text;
  int number = 0;
  for (const Json& event : exchange->events()) {
    const auto type = event["type"].get<std::string>();
    EXPECT_EQ(event["sequence_number"], number++);
    if (names.empty() || names.back() != type) names.push_back(type);
    if (type == "response.output_text.delta") text += event["delta"].get<std::string>();
  }
  EXPECT_EQ(names, (std::vector<std::string>{
                       "response.created", "response.in_progress", "response.output_item.added",
                       "response.content_part.added", "response.output_text.delta",
                       "response.output_text.done", "response.content_part.done",
                       "response.output_item.done", "response.completed"}));
  EXPECT_TRUE(text == "\"yes\"" || text == "\"no\"") << text;
  const Json last = exchange->events().back()["response"];
  EXPECT_EQ(last["status"], "completed");
  EXPECT_EQ(last["output"][0]["content"][0]["text"], text);
  EXPECT_TRUE(exchange->pieces()[0].starts_with("event: response.created\n"));
}

TEST(Tokens, GoThereAndBack) {
  TinyApi api;
  const Json ids =
      api.ask("/tokenize", {{"model", "tiny"}, {"prompt", "차 tea"}, {"return_token_strs", true}})
          ->json();
  EXPECT_EQ(ids["count"], 7);
  EXPECT_EQ(ids["token_strs"].size(), 7u);
  const Json text = api.ask("/detokenize", {{"model", "tiny"}, {"tokens", ids["tokens"]}})->json();
  EXPECT_EQ(text["prompt"], "차 tea");
  Json chat = chat_body();
  EXPECT_GT(api.ask("/tokenize", chat)->json()["count"].get<int>(), 14);
}

TEST(Models, AreListedLoadedAndUnloaded) {
  TinyApi api;
  Json list = api.get("/v1/models")->json();
  ASSERT_EQ(list["data"].size(), 2u);
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_FALSE(list["data"][0]["loaded"].get<bool>());
  EXPECT_TRUE(list["data"][0]["chats"].is_null());
  EXPECT_TRUE(api.ask("/v1/models/load", {{"model", "tiny"}})->json()["loaded"].get<bool>());
  EXPECT_EQ(api.get("/v1/models/tiny")->json()["chats"], true);
  EXPECT_EQ(api.get("/v1/models/tiny")->json()["loaded"], true);
  EXPECT_EQ(api.get("/v1/models/none")->status(), 404);
  for (int i = 0; i < 200 && api.ask("/v1/models/unload", {{"model", "tiny"}})->status() != 200;
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(api.get("/v1/models/tiny")->json()["loaded"], false);
  EXPECT_EQ(api.get("/v1/models/tiny")->json()["chats"], true);
  EXPECT_EQ(api.ask("/v1/models/load", {{"model", "none"}})->status(), 404);
  EXPECT_EQ(api.ask("/v1/models/load", Json::object())->status(), 400);
}

TEST(Runs, AreListedAndReadFromAStepOn) {
  ScratchFolder folder;
  fs::create_directories(folder / "first");
  fs::create_directories(folder / "no_run");
  overwrite(folder / "first/run.json", "{\"kind\": \"pretrain\"}\n");
  overwrite(folder / "first/config.toml", "[train]\nsteps = 40\n");
  overwrite(folder / "first/metrics.jsonl",
            "{\"step\": 10, \"loss\": 2.5}\n{\"step\": 20, \"loss\": 2}\nbroken\n{\"step\": 3");
  TinyApi api({}, {.runs = folder.path()});
  const Json list = api.get("/malssi/runs")->json();
  ASSERT_EQ(list["runs"].size(), 1u);
  EXPECT_EQ(list["runs"][0]["name"], "first");
  EXPECT_EQ(list["runs"][0]["kind"], "pretrain");
  EXPECT_EQ(list["runs"][0]["step"], 20);
  EXPECT_EQ(list["runs"][0]["steps"], 40);
  EXPECT_EQ(api.get("/malssi/runs/first")->json()["metrics"].size(), 2u);
  EXPECT_EQ(api.get("/malssi/runs/first", {{"after", "10"}})->json()["metrics"].size(), 1u);
  EXPECT_EQ(api.get("/malssi/runs/first", {{"after", "x"}})->status(), 400);
  for (const char* name : {"none", "..", ".", "no_run", ""})
    EXPECT_EQ(api.get(concat("/malssi/runs/", name))->status(), 404) << name;
}

TEST(Votes, AreAppendedOrRefused) {
  ScratchFolder folder;
  const Json vote = {{"a", "tiny"}, {"b", "qwen"}, {"vote", "a"}, {"prompt", "tea?"}};
  TinyApi api({}, {.votes = folder / "votes.jsonl"});
  EXPECT_EQ(api.ask("/malssi/votes", vote)->status(), 200);
  EXPECT_EQ(api.ask("/malssi/votes", vote)->status(), 200);
  EXPECT_EQ(api.ask("/malssi/votes", {{"a", "x"}, {"b", "y"}, {"vote", "z"}})->status(), 400);
  const std::string text = read_file(folder / "votes.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_TRUE(contains(text, "\"prompt\":\"tea?\""));
  EXPECT_EQ(api.get("/malssi/votes")->json()["kept"], true);
  TinyApi without;
  EXPECT_EQ(without.ask("/malssi/votes", vote)->status(), 404);
  EXPECT_EQ(without.get("/malssi/votes")->json()["kept"], false);
}

}  // namespace
}  // namespace malssi
