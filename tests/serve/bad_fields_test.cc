// Requests with one field wrong: each is answered with 400 and the field's name.
#include <gtest/gtest.h>

#include "serve/api_tools.h"

namespace malssi {
namespace {

struct BadField {
  const char* path;   // where it stands, as the error names it
  const char* value;  // as JSON
};

// A valid body with the value put at the place; "a.b" and "a[0]" lead inside.
Json with_field(Json body, const std::string& path, const Json& value) {
  Json* at = &body;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find_first_of(".[", begin), path.size());
    at = &(*at)[path.substr(begin, end - begin)];
    begin = end + 1;
    if (end < path.size() && path[end] == '[') {
      at = &(*at)[static_cast<size_t>(path[end + 1] - '0')];
      begin = end + 4;
    }
  }
  *at = value;
  return body;
}

void expect_refused(TinyApi& api, const std::string& endpoint, const Json& body,
                    const BadField& bad) {
  const auto exchange =
      api.ask(endpoint, with_field(body, bad.path, parse_json(bad.value, "value")));
  const std::string shown = concat(endpoint, " ", bad.path, " = ", bad.value);
  ASSERT_EQ(exchange->status(), 400) << shown << ": " << exchange->answer().body;
  const Json error = exchange->json()["error"];
  EXPECT_EQ(error["type"], "invalid_request_error") << shown;
  ASSERT_TRUE(error["param"].is_string()) << shown << ": " << dump_json(error);
  EXPECT_TRUE(error["param"].get<std::string>().starts_with(bad.path))
      << shown << ": " << dump_json(error);
  EXPECT_TRUE(is_one_line(error["message"].get<std::string>())) << shown;
}

constexpr BadField kSampling[] = {
    {"temperature", "-0.1"},
    {"temperature", "11"},
    {"temperature", "\"1\""},
    {"temperature", "[]"},
    {"temperature", "true"},
    {"temperature", "1e308"},
    {"top_p", "-1"},
    {"top_p", "1.01"},
    {"top_p", "\"0.5\""},
    {"top_p", "{}"},
    {"top_k", "-2"},
    {"top_k", "1.5"},
    {"top_k", "9223372036854775807"},
    {"top_k", "\"all\""},
    {"min_p", "-0.5"},
    {"min_p", "2"},
    {"min_p", "false"},
    {"typical_p", "0"},
    {"typical_p", "1.5"},
    {"typical_p", "\"\""},
    {"presence_penalty", "-2.1"},
    {"presence_penalty", "2.1"},
    {"presence_penalty", "\"x\""},
    {"frequency_penalty", "-3"},
    {"frequency_penalty", "1e9"},
    {"frequency_penalty", "[1]"},
    {"repetition_penalty", "0"},
    {"repetition_penalty", "-1"},
    {"repetition_penalty", "1000"},
    {"repetition_penalty", "\"1\""},
    {"seed", "0.5"},
    {"seed", "\"7\""},
    {"seed", "18446744073709551615"},
    {"seed", "1e300"},
    {"max_tokens", "0"},
    {"max_tokens", "-1"},
    {"max_tokens", "1.5"},
    {"max_tokens", "\"10\""},
    {"max_tokens", "99999999999999"},
    {"max_tokens", "18446744073709551615"},
    {"max_completion_tokens", "0"},
    {"max_completion_tokens", "[]"},
    {"n", "0"},
    {"n", "-1"},
    {"n", "1000000"},
    {"n", "2.5"},
    {"n", "\"2\""},
    {"n", "9223372036854775807"},
    {"stop", "\"\""},
    {"stop", "[\"\"]"},
    {"stop", "7"},
    {"stop", "[7]"},
    {"stop", "{}"},
    {"stop", "[[\"a\"]]"},
    {"logit_bias", "[]"},
    {"logit_bias", "{\"x\": 1}"},
    {"logit_bias", "{\"-1\": 1}"},
    {"logit_bias", "{\"266\": 1}"},
    {"logit_bias", "{\"99999999999\": 1}"},
    {"logit_bias", "{\"5\": 101}"},
    {"logit_bias", "{\"5\": \"1\"}"},
    {"logit_bias", "{\"5\": null}"},
    {"stream", "1"},
    {"stream", "\"true\""},
    {"stream_options", "true"},
    {"stream_options", "{\"include_usage\": true}"},
    {"user", "7"},
    {"model", "7"},
    {"model", "[]"},
    {"adapters", "7"},
    {"adapters", "[7]"},
    {"response_format", "\"json\""},
    {"response_format", "{}"},
    {"response_format", "{\"type\": \"xml\"}"},
    {"response_format", "{\"type\": \"json_schema\"}"},
    {"response_format", "{\"type\": \"json_schema\", \"json_schema\": {\"schema\": 7}}"},
};

constexpr BadField kChat[] = {
    {"messages", "[]"},
    {"messages", "null"},
    {"messages", "{}"},
    {"messages", "\"hi\""},
    {"messages[0]", "7"},
    {"messages[0]", "[]"},
    {"messages[0]", "{}"},
    {"messages[0].role", "\"wizard\""},
    {"messages[0].role", "7"},
    {"messages[0].role", "null"},
    {"messages[0].content", "7"},
    {"messages[0].content", "null"},
    {"messages[0].content", "{}"},
    {"messages[0].content", "[7]"},
    {"messages[0].content", "[{}]"},
    {"messages[0].content", "[{\"type\": \"image_url\", \"image_url\": {\"url\": \"x\"}}]"},
    {"messages[0].content", "[{\"type\": \"text\"}]"},
    {"messages[0].content", "[{\"type\": \"text\", \"text\": 7}]"},
    {"messages[0].name", "[]"},
    {"logprobs", "2"},
    {"logprobs", "\"true\""},
    {"top_logprobs", "5"},
    {"top_logprobs", "-1"},
    {"top_logprobs", "100000"},
    {"tools", "{}"},
    {"tools", "[7]"},
    {"tools", "[{\"type\": \"function\"}]"},
    {"tools", "[{\"type\": \"browser\", \"function\": {\"name\": \"f\"}}]"},
    {"tools", "[{\"type\": \"function\", \"function\": {\"name\": \"\"}}]"},
    {"tools", "[{\"type\": \"function\", \"function\": {\"name\": \"a b\"}}]"},
    {"tools", "[{\"type\": \"function\", \"function\": {\"name\": 7}}]"},
    {"tools", "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": \"x\"}}]"},
    {"tools",
     "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {\"not\": {}}}}]"},
    {"tool_choice", "\"required\""},
    {"tool_choice", "\"perhaps\""},
    {"tool_choice", "7"},
    {"tool_choice", "{\"type\": \"function\", \"function\": {\"name\": \"f\"}}"},
    {"parallel_tool_calls", "\"yes\""},
    {"chat_template_kwargs", "[]"},
    {"continue_final_message", "true"},
    {"continue_final_message", "1"},
    {"add_generation_prompt", "\"\""},
};

constexpr BadField kCompletion[] = {
    {"prompt", "null"},
    {"prompt", "7"},
    {"prompt", "{}"},
    {"prompt", "[]"},
    {"prompt", "[[]]"},
    {"prompt", "[\"a\", 7]"},
    {"prompt", "[-1]"},
    {"prompt", "[266]"},
    {"prompt", "[1.5]"},
    {"prompt", "[1, \"a\"]"},
    {"prompt", "[[1], [99999999999]]"},
    {"echo", "true"},
    {"echo", "1"},
    {"suffix", "\"x\""},
    {"suffix", "7"},
    {"best_of", "5"},
    {"best_of", "0"},
    {"logprobs", "-1"},
    {"logprobs", "true"},
    {"logprobs", "1000"},
};

constexpr BadField kEmbedding[] = {
    {"input", "null"},
    {"input", "\"\""},
    {"input", "[]"},
    {"input", "[\"\"]"},
    {"input", "7"},
    {"input", "{}"},
    {"input", "[\"a\", 7]"},
    {"input", "[[]]"},
    {"input", "[-1]"},
    {"dimensions", "0"},
    {"dimensions", "17"},
    {"dimensions", "\"8\""},
    {"encoding_format", "\"int8\""},
    {"encoding_format", "7"},
    {"user", "[]"},
};

constexpr BadField kResponse[] = {
    {"input", "null"},
    {"input", "7"},
    {"input", "[]"},
    {"input", "[7]"},
    {"input", "[{\"role\": \"user\"}]"},
    {"input", "[{\"role\": \"wizard\", \"content\": \"a\"}]"},
    {"instructions", "7"},
    {"max_output_tokens", "0"},
    {"previous_response_id", "\"resp_1\""},
    {"background", "true"},
    {"tools", "[{\"type\": \"web_search\"}]"},
    {"tools", "[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]"},
    {"tools", "[{\"type\": \"function\", \"name\": \"a b\"}]"},
    {"input", "[{\"type\": \"function_call\", \"call_id\": \"a\", \"name\": 7}]"},
    {"input", "[{\"type\": \"function_call_output\", \"output\": \"a\"}]"},
    {"text", "7"},
    {"text.format", "{\"type\": \"xml\"}"},
    {"metadata", "7"},
    {"temperature", "-1"},
    {"stream", "\"yes\""},
};

constexpr BadField kTokens[] = {{"tokens", "null"},  {"tokens", "7"},       {"tokens", "[-1]"},
                                {"tokens", "[266]"}, {"tokens", "[\"a\"]"}, {"tokens", "[1.5]"}};

TEST(BadFields, AreNamed) {
  TinyApi api;
  const Json completion = {{"model", "tiny"}, {"prompt", "Mina"}, {"max_tokens", 2}};
  for (const BadField& bad : kSampling) {
    expect_refused(api, "/v1/chat/completions", chat_body(), bad);
    expect_refused(api, "/v1/completions", completion, bad);
  }
  for (const BadField& bad : kChat) expect_refused(api, "/v1/chat/completions", chat_body(), bad);
  for (const BadField& bad : kCompletion) expect_refused(api, "/v1/completions", completion, bad);
  for (const BadField& bad : kEmbedding)
    expect_refused(api, "/v1/embeddings", {{"model", "tiny"}, {"input", "tea"}}, bad);
  for (const BadField& bad : kResponse)
    expect_refused(api, "/v1/responses", {{"model", "tiny"}, {"input", "tea"}}, bad);
  for (const BadField& bad : kTokens)
    expect_refused(api, "/detokenize", {{"model", "tiny"}, {"tokens", {1}}}, bad);
}

TEST(BadFields, WhatIsNoJsonIsRefused) {
  TinyApi api;
  const std::string deep(1000, '[');
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("7"),
        std::string("{\"messages\": NaN}"), std::string("{\"temperature\": Infinity}"),
        std::string("{\"temperature\": 1e999}"), std::string("{\"a\": 1, \"a\": 2}"),
        std::string("{\"a\": \"\xff\"}"), std::string("{\"a\": \"\\ud800\"}"),
        "{\"messages\": " + deep + "}", std::string("{} {}"), std::string("\0{}", 3)}) {
    const auto exchange =
        api.start({.method = "POST", .path = "/v1/chat/completions", .body = body});
    ASSERT_TRUE(exchange->wait());
    EXPECT_EQ(exchange->status(), 400) << body.substr(0, 50);
    EXPECT_EQ(exchange->json()["error"]["type"], "invalid_request_error");
  }
}

TEST(BadFields, OtherContentTypesAreRefused) {
  TinyApi api;
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", ""}) {
    const auto exchange = api.start({.method = "POST",
                                     .path = "/v1/chat/completions",
                                     .headers = {{"content-type", type}},
                                     .body = dump_json(chat_body())});
    ASSERT_TRUE(exchange->wait());
    EXPECT_EQ(exchange->status(), 415) << type;
  }
}

TEST(BadFields, UnknownModelsAndAdaptersAreNotFound) {
  TinyApi api;
  for (const char* name : {"gpt-4", "tiny:none", "../tiny", "tiny/", ":"}) {
    const auto exchange = api.ask("/v1/chat/completions", chat_body(name));
    EXPECT_EQ(exchange->status(), 404) << name;
    EXPECT_EQ(exchange->json()["error"]["code"], "model_not_found");
    EXPECT_EQ(exchange->json()["error"]["param"], "model");
  }
  Json body = chat_body();
  body["adapters"] = {"none"};
  EXPECT_EQ(api.ask("/v1/chat/completions", body)->status(), 404);
}

TEST(BadFields, UnknownOnesAreIgnored) {
  TinyApi api;
  Json body = chat_body();
  body["store"] = true;
  body["service_tier"] = "auto";
  body["metadata"] = {{"a", "b"}};
  body["nothing"] = {{"of", {1, 2}}};
  for (const char* key : {"temperature", "stop", "tools", "n", "logit_bias", "stream_options"})
    body[key] = nullptr;
  EXPECT_EQ(api.ask("/v1/chat/completions", body)->status(), 200);
}

}  // namespace
}  // namespace malssi
