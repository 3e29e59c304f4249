// Tools from the request to the call, on models of random weights: what holds is what the grammar holds.
#include <gtest/gtest.h>

#include "serve/api/tool_format.h"
#include "serve/api_tools.h"

namespace malssi {
namespace {

const std::string kPath = "/v1/chat/completions";

Json tool(const std::string& name) {
  const Json city = {{"enum", {"Seoul", "Busan"}}};
  const Json days = {{"type", "integer"}, {"minimum", 0}, {"maximum", 9}};
  return {{"type", "function"},
          {"function",
           {{"name", name},
            {"description", "Tells the weather."},
            {"parameters",
             {{"type", "object"},
              {"properties", {{"city", city}, {"days", days}}},
              {"required", {"city", "days"}},
              {"additionalProperties", false}}}}}};
}

Json tools_body(const std::string& model) {
  Json body = chat_body(model, 400);
  body["tools"] = {tool("get_weather"), tool("get_tides")};
  return body;
}

void expect_call(const Json& call, const std::string& name) {
  EXPECT_EQ(call["type"], "function");
  EXPECT_FALSE(call["id"].get<std::string>().empty());
  EXPECT_TRUE(name.empty() || call["function"]["name"] == name);
  const Json arguments = parse_json(call["function"]["arguments"].get<std::string>(), "arguments");
  EXPECT_TRUE(arguments["city"] == "Seoul" || arguments["city"] == "Busan");
  EXPECT_TRUE(arguments["days"].is_number_integer());
  EXPECT_EQ(arguments.size(), 2u);
}

TEST(Tools, ANamedToolIsCalledInKeepingWithItsSchema) {
  TinyApi api;
  for (const std::string model : {"tiny", "qwen"}) {
    Json body = tools_body(model);
    body["tool_choice"] = {{"type", "function"}, {"function", {{"name", "get_tides"}}}};
    body["parallel_tool_calls"] = false;
    const auto exchange = api.ask(kPath, body);
    ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
    const Json choice = exchange->json()["choices"][0];
    EXPECT_EQ(choice["finish_reason"], "tool_calls");
    EXPECT_TRUE(choice["message"]["content"].is_null());
    ASSERT_EQ(choice["message"]["tool_calls"].size(), 1u);
    expect_call(choice["message"]["tool_calls"][0], "get_tides");
  }
}

TEST(Tools, ARequiredCallStreamsAsDeltas) {
  TinyApi api;
  for (const std::string model : {"tiny", "qwen"}) {
    Json body = tools_body(model);
    body["tool_choice"] = "required";
    body["parallel_tool_calls"] = false;
    body["stream"] = true;
    std::string arguments, finish;
    Json call;
    for (const Json& event : api.ask(kPath, body)->events()) {
      const Json& choice = event["choices"][0];
      if (!choice["finish_reason"].is_null()) finish = choice["finish_reason"].get<std::string>();
      if (!choice["delta"].contains("tool_calls")) continue;
      const Json& delta = choice["delta"]["tool_calls"][0];
      EXPECT_EQ(delta["index"], 0);
      if (delta.contains("id")) call = delta;
      arguments += delta["function"]["arguments"].get<std::string>();
    }
    EXPECT_EQ(finish, "tool_calls");
    call["function"]["arguments"] = arguments;
    expect_call(call, "");
  }
}

// The tag is a token of its own: whoever draws it must go on with a call.
TEST(Tools, AModelThatBeginsACallOfItselfIsHeldToIt) {
  TinyApi api;
  Json body = tools_body("qwen");
  body["logit_bias"] = {{"263", 100}};
  const auto exchange = api.ask(kPath, body);
  ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
  const Json choice = exchange->json()["choices"][0];
  ASSERT_FALSE(choice["message"]["tool_calls"].empty()) << dump_json(choice);
  if (choice["finish_reason"] == "tool_calls")
    for (const Json& call : choice["message"]["tool_calls"]) expect_call(call, "");
}

TEST(Tools, AModelMayAnswerInWords) {
  TinyApi api;
  Json body = tools_body("qwen");
  body["max_tokens"] = 20;
  body["logit_bias"] = {{"263", -100}};
  const Json choice = api.ask(kPath, body)->json()["choices"][0];
  EXPECT_FALSE(choice["message"].contains("tool_calls"));
  body["tool_choice"] = "none";
  EXPECT_FALSE(api.ask(kPath, body)->json()["choices"][0]["message"].contains("tool_calls"));
}

TEST(Tools, ACallAndItsAnswerGoBackIntoThePrompt) {
  TinyApi api;
  for (const std::string model : {"tiny", "qwen"}) {
    Json body = tools_body(model);
    body["max_tokens"] = 5;
    const Json call = {{"id", "abc"},
                       {"type", "function"},
                       {"function", {{"name", "get_tides"}, {"arguments", "{\"days\": 1}"}}}};
    body["messages"].push_back(
        {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({call})}});
    body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "abc"}, {"content", "high"}});
    const auto exchange = api.ask(kPath, body);
    EXPECT_EQ(exchange->status(), 200) << exchange->answer().body;
  }
}

// A grammar made here, walked over a text.
bool takes(const Grammar& grammar, const std::string& text) {
  static const auto tokenizer = make_byte_tokenizer();
  GrammarState state(std::make_shared<const CompiledGrammar>(grammar, *tokenizer));
  for (const char c : text)
    if (!state.accept(static_cast<uint8_t>(c))) return false;
  return state.can_end();
}

Tools two_tools(bool is_parallel) {
  Tools tools{.choice = ToolChoice::automatic, .is_parallel = is_parallel};
  const Json schema = {
      {"type", "object"},
      {"properties", {{"a", {{"$ref", "#/$defs/small"}}}}},
      {"required", {"a"}},
      {"$defs", {{"small", {{"type", "integer"}, {"minimum", 0}, {"maximum", 9}}}}}};
  tools.allowed = {
      {.name = "f", .parameters = schema},
      {.name = "g", .parameters = {{"type", "object"}, {"properties", Json::object()}}}};
  return tools;
}

TEST(ToolGrammar, HoldsCallsInEachFormat) {
  const Tools many = two_tools(true), one = two_tools(false);
  const std::string f = R"({"name": "f", "arguments": {"a": 7}})",
                    bad = R"({"name": "f", "arguments": {"a": 77}})",
                    g = R"({"name": "g", "arguments": {}})";
  const auto tagged = [](const std::string& call) {
    return "<tool_call>\n" + call + "\n</tool_call>";
  };
  const Grammar hermes = calls_grammar(many, ToolFormat::hermes, false);
  EXPECT_TRUE(takes(hermes, tagged(f)));
  EXPECT_TRUE(takes(hermes, tagged(f) + "\n" + tagged(g)));
  EXPECT_FALSE(takes(hermes, tagged(bad)));
  EXPECT_FALSE(takes(hermes, "hello"));
  EXPECT_FALSE(takes(calls_grammar(one, ToolFormat::hermes, false), tagged(f) + tagged(g)));
  const Grammar mistral = calls_grammar(many, ToolFormat::mistral, true);
  EXPECT_TRUE(takes(mistral, "[" + f + ", " + g + "]"));
  EXPECT_FALSE(takes(mistral, "[" + f + ", " + bad + "]"));
  EXPECT_TRUE(takes(calls_grammar(many, ToolFormat::llama3, false),
                    R"({"name": "f", "parameters": {"a": 7}})"));
}

TEST(ToolGrammar, LetsTextBeUntilACallBegins) {
  const Tools tools = two_tools(true);
  const Grammar hermes = text_or_calls_grammar(tools, ToolFormat::hermes, nullptr);
  const std::string call = R"(<tool_call>{"name": "g", "arguments": {}}</tool_call>)";
  EXPECT_TRUE(takes(hermes, ""));
  EXPECT_TRUE(takes(hermes, "a < b, <tool, <<tool_cal <tool_<"));
  EXPECT_TRUE(takes(hermes, "So: <<tool_" + call));
  EXPECT_FALSE(takes(hermes, "So: <tool_call>oops"));
  EXPECT_FALSE(takes(hermes, call + "and more"));
  const Grammar llama3 = text_or_calls_grammar(tools, ToolFormat::llama3, nullptr);
  EXPECT_TRUE(takes(llama3, R"({"name": "g", "parameters": {}})"));
  EXPECT_TRUE(takes(llama3, "It is {so}"));
  EXPECT_FALSE(takes(llama3, "{so}"));
}

}  // namespace
}  // namespace malssi
