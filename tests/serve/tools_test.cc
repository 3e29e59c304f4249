// Tools from the request to the call, on models of random weights: what holds is what the grammar holds.
#include <gtest/gtest.h>

#include "serve/api/tool_grammar.h"
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

void expect_arguments(const std::string& text) {
  const Json arguments = parse_json(text, "arguments");
  EXPECT_TRUE(arguments["city"] == "Seoul" || arguments["city"] == "Busan");
  EXPECT_TRUE(arguments["days"].is_number_integer());
  EXPECT_EQ(arguments.size(), 2u);
}

void expect_call(const Json& call, const std::string& name) {
  EXPECT_EQ(call["type"], "function");
  EXPECT_FALSE(call["id"].get<std::string>().empty());
  EXPECT_TRUE(name.empty() || call["function"]["name"] == name);
  expect_arguments(call["function"]["arguments"].get<std::string>());
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

// Where calls begin with no token of their own, and the template begins with thoughts.
TEST(Tools, ARequiredCallIsNoThought) {
  ScratchFolder folder;
  std::string jinja = qwen_like_template();
  for (size_t at = 0; (at = jinja.find("<tool_call>")) != jinja.npos;)
    jinja.replace(at, 11, "<|python_tag|>");
  write_tiny_model(folder / "thinker", jinja);
  TinyApi api({.models = {{"thinker", folder / "thinker"}}});
  Json body = tools_body("thinker");
  body["tool_choice"] = "required";
  body["chat_template_kwargs"] = {{"enable_thinking", true}};
  const auto exchange = api.ask(kPath, body);
  ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
  const Json message = exchange->json()["choices"][0]["message"];
  ASSERT_EQ(message["tool_calls"].size(), 1u) << dump_json(message);
  expect_call(message["tool_calls"][0], "");
}

// Templates of the formats without JSON around the call; in the first one the marks are special tokens.
TEST(Tools, FormatsOfOtherFamiliesAreHeldAndRead) {
  ScratchFolder folder;
  const std::string each =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
      "{% if m.tool_calls %}{% for c in m.tool_calls %}CALL{% endfor %}{% endif %}<|im_end|>"
      "{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}<|im_start|>assistant\n";
  const auto with_call = [&](const std::string& call) {
    return std::string(each).replace(each.find("CALL"), 4, call);
  };
  write_tiny_model(
      folder / "args",
      with_call("[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}"));
  write_tiny_model(
      folder / "coder",
      with_call("<tool_call>\n<function={{ c.function.name }}>\n{% for k, v in "
                "c.function.arguments | items %}<parameter={{ k }}>\n{{ v }}\n</parameter>\n"
                "{% endfor %}</function>\n</tool_call>"));
  TinyApi api({.models = {{"args", folder / "args"}, {"coder", folder / "coder"}}});
  for (const std::string model : {"args", "coder"}) {
    Json body = tools_body(model);
    body["tool_choice"] = "required";
    body["parallel_tool_calls"] = false;
    const auto exchange = api.ask(kPath, body);
    ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
    const Json message = exchange->json()["choices"][0]["message"];
    ASSERT_EQ(message["tool_calls"].size(), 1u) << dump_json(message);
    EXPECT_TRUE(message["content"].is_null());
    expect_call(message["tool_calls"][0], "");
    body["messages"].push_back(message);
    body["messages"].push_back(
        {{"role", "tool"}, {"tool_call_id", message["tool_calls"][0]["id"]}, {"content", "high"}});
    body["tool_choice"] = "auto";
    body["max_tokens"] = 8;
    const auto next = api.ask(kPath, body);
    EXPECT_EQ(next->status(), 200) << next->answer().body;
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

// As the responses API lists tools and makes one of them be called.
Json response_body(const std::string& model) {
  const auto flat = [](const std::string& name) {
    Json function = tool(name)["function"];
    function["type"] = "function";
    return function;
  };
  return {{"model", model},
          {"input", "Who likes tea?"},
          {"tools", {flat("get_weather"), flat("get_tides")}},
          {"tool_choice", {{"type", "function"}, {"name", "get_tides"}}},
          {"parallel_tool_calls", false},
          {"max_output_tokens", 400}};
}

TEST(ResponseTools, AreCalledAndTheirOutputsGoBack) {
  TinyApi api;
  for (const std::string model : {"tiny", "qwen"}) {
    Json body = response_body(model);
    const auto exchange = api.ask("/v1/responses", body);
    ASSERT_EQ(exchange->status(), 200) << exchange->answer().body;
    const Json json = exchange->json();
    EXPECT_EQ(json["status"], "completed");
    EXPECT_EQ(json["tools"], body["tools"]);
    EXPECT_EQ(json["tool_choice"], body["tool_choice"]);
    ASSERT_EQ(json["output"].size(), 1u);
    const Json& call = json["output"][0];
    EXPECT_EQ(call["type"], "function_call");
    EXPECT_EQ(call["name"], "get_tides");
    EXPECT_EQ(call["status"], "completed");
    expect_arguments(call["arguments"].get<std::string>());
    body["input"] = Json::array(
        {{{"role", "user"}, {"content", "Who likes tea?"}},
         {{"role", "assistant"}, {"content", "I look."}},
         call,
         {{"type", "function_call_output"}, {"call_id", call["call_id"]}, {"output", "high"}}});
    body["tool_choice"] = "none";
    const auto next = api.ask("/v1/responses", body);
    ASSERT_EQ(next->status(), 200) << next->answer().body;
    EXPECT_EQ(next->json()["output"][0]["type"], "message");
  }
}

TEST(ResponseTools, StreamTheirArguments) {
  TinyApi api;
  Json body = response_body("qwen");
  body["stream"] = true;
  std::vector<std::string> names;
  std::string arguments;
  Json done, last;
  for (const Json& event : api.ask("/v1/responses", body)->events()) {
    const auto type = event["type"].get<std::string>();
    if (names.empty() || names.back() != type) names.push_back(type);
    if (type.ends_with("arguments.delta")) arguments += event["delta"].get<std::string>();
    if (type.ends_with("arguments.done")) done = event;
    if (type == "response.completed") last = event["response"]["output"][0];
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "response.created", "response.in_progress", "response.output_item.added",
                "response.function_call_arguments.delta", "response.function_call_arguments.done",
                "response.output_item.done", "response.completed"}));
  expect_arguments(arguments);
  EXPECT_EQ(done["arguments"], arguments);
  EXPECT_EQ(done["name"], "get_tides");
  EXPECT_EQ(done["item_id"], last["id"]);
  EXPECT_EQ(last["arguments"], arguments);
}

TEST(ResponseTools, MistakesAreNamed) {
  TinyApi api;
  const auto param_of = [&](const Json& change) {
    Json body = response_body("tiny");
    body.update(change);
    const auto exchange = api.ask("/v1/responses", body);
    EXPECT_EQ(exchange->status(), 400);
    return exchange->json()["error"]["param"];
  };
  EXPECT_EQ(param_of({{"tools", Json::array({{{"type", "web_search"}}})}}), "tools[0].type");
  EXPECT_EQ(param_of({{"tools", Json::array({{{"type", "function"}}})}}), "tools[0].name");
  EXPECT_EQ(param_of({{"tool_choice", {{"type", "function"}, {"name", "g"}}}}), "tool_choice.name");
  const Json odd = {{"type", "function"}, {"name", "f"}, {"parameters", {{"not", Json::object()}}}};
  EXPECT_EQ(param_of({{"tools", Json::array({odd})}, {"tool_choice", "required"}}),
            "tools[0].parameters");
  EXPECT_EQ(param_of({{"input", Json::array({{{"type", "function_call"}, {"call_id", "a"}}})}}),
            "input[0].name");
  EXPECT_EQ(
      param_of({{"input", Json::array({{{"type", "function_call_output"}, {"call_id", "a"}}})}}),
      "input[0].output");
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

TEST(ToolGrammar, HoldsCallsWithoutBracesAround) {
  const Grammar named = calls_grammar(two_tools(true), ToolFormat::mistral_args, true);
  EXPECT_TRUE(takes(named, R"(f[ARGS]{"a": 7})"));
  EXPECT_TRUE(takes(named, R"(f[CALL_ID]abcDEF123[ARGS]{"a": 7}[TOOL_CALLS]g[ARGS]{})"));
  EXPECT_FALSE(takes(named, R"(f[CALL_ID]abc[ARGS]{"a": 7})"));
  EXPECT_FALSE(takes(named, R"(f[ARGS]{"a": 77})"));
  EXPECT_FALSE(takes(named, R"(h[ARGS]{"a": 7})"));
  EXPECT_FALSE(takes(calls_grammar(two_tools(false), ToolFormat::mistral_args, true),
                     R"(f[ARGS]{"a": 7}[TOOL_CALLS]g[ARGS]{})"));
}

TEST(ToolGrammar, HoldsCallsWhoseParametersAreTagged) {
  Tools tools{.choice = ToolChoice::required};
  const Json schema = parse_json(
      R"({"type": "object", "required": ["city", "days"], "properties": {
          "city": {"$ref": "#/$defs/city"}, "days": {"$ref": "#/$defs/small"},
          "note": {"type": "string"}},
          "$defs": {"small": {"type": "integer", "minimum": 0, "maximum": 9},
                    "city": {"type": "string", "enum": ["Seoul", "Busan"]}}})",
      "schema");
  tools.allowed = {{.name = "f", .parameters = schema},
                   {.name = "g", .parameters = Json::object()}};
  const Grammar grammar = calls_grammar(tools, ToolFormat::qwen_coder, true);
  const auto call = [](const std::string& inside) {
    return "\n<function=" + inside + "</function>\n</tool_call>";
  };
  const auto value = [](const std::string& name, const std::string& text) {
    return "<parameter=" + name + ">\n" + text + "\n</parameter>\n";
  };
  const std::string whole = "f>\n" + value("city", "Seoul") + value("days", "7");
  EXPECT_TRUE(takes(grammar, call(whole)));
  EXPECT_TRUE(takes(grammar, call(whole + value("note", "two\nlines </parameter> \"so\""))));
  EXPECT_TRUE(takes(grammar, call(whole) + "\n<tool_call>" + call("g>\n" + value("any", "thing"))));
  EXPECT_FALSE(takes(grammar, call("f>\n" + value("city", "Seoul"))));
  EXPECT_FALSE(takes(grammar, call("f>\n" + value("city", "Paris") + value("days", "7"))));
  EXPECT_FALSE(takes(grammar, call("f>\n" + value("city", "Seoul") + value("days", "77"))));
  EXPECT_FALSE(takes(grammar, call(whole + value("more", "1"))));
}

TEST(ToolFormat, IsSeenInTheTemplate) {
  const auto format_of = [](const std::string& calls) {
    return tool_syntax(ChatTemplate::from_jinja("{% if tools %}" + calls + "{% endif %}", "t"));
  };
  EXPECT_EQ(format_of("<tool_call>").format, ToolFormat::hermes);
  EXPECT_EQ(format_of("<tool_call>\n<function=").format, ToolFormat::qwen_coder);
  EXPECT_EQ(format_of("[TOOL_CALLS]").format, ToolFormat::mistral);
  EXPECT_EQ(format_of("[TOOL_CALLS]name[ARGS]").format, ToolFormat::mistral_args);
  EXPECT_EQ(format_of("<|python_tag|>").format, ToolFormat::llama3);
  EXPECT_FALSE(format_of("of some other kind").is_in_template);
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
