#include "serve/api/answer_parser.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace malssi {
namespace {

// What the parts add up to: "think(...)say(...)call NAME(...)".
std::string told(const std::vector<AnswerPart>& parts) {
  std::string out;
  std::optional<AnswerPart::Kind> open;
  for (const AnswerPart& part : parts) {
    using Kind = AnswerPart::Kind;
    const bool goes_on = open == part.kind && part.kind != Kind::call;
    if (!goes_on) {
      if (open && *open != Kind::call) out += ")";
      if (part.kind == Kind::reasoning) out += "think(";
      if (part.kind == Kind::content) out += "say(";
      if (part.kind == Kind::call) out += concat("call ", part.call, " ");
      if (part.kind == Kind::arguments) out += "(";
      open = part.kind;
    }
    out += part.text;
  }
  if (open && *open != AnswerPart::Kind::call) out += ")";
  return out;
}

std::string parsed(const AnswerForm& form, const std::string& text, size_t piece) {
  AnswerParser parser(form);
  std::vector<AnswerPart> all;
  const auto take = [&](std::vector<AnswerPart> parts) {
    all.insert(all.end(), parts.begin(), parts.end());
  };
  for (size_t at = 0; at < text.size(); at += piece) take(parser.push(text.substr(at, piece)));
  take(parser.finish());
  return told(all);
}

// The same however the text is cut into pieces.
void expect_parts(const AnswerForm& form, const std::string& text, const std::string& expected) {
  for (size_t piece = 1; piece <= text.size() + 1; ++piece)
    EXPECT_EQ(parsed(form, text, piece), expected) << "pieces of " << piece;
}

const AnswerForm kHermes{.tools = ToolFormat::hermes};

TEST(AnswerParser, PlainTextStaysAsItIs) {
  expect_parts({}, " <think>a</think> <tool_call>{} ", "say( <think>a</think> <tool_call>{} )");
}

TEST(AnswerParser, TellsThoughtsFromWords) {
  const AnswerForm form{.may_think = true};
  expect_parts(form, "<think>\nwell, a < b\n</think>\n\nyes", "think(well, a < b)say(yes)");
  expect_parts(form, "no thoughts", "say(no thoughts)");
  expect_parts(form, "<think></think>", "");
  expect_parts(form, "<think>cut", "think(cut)");
  expect_parts(form, "<think>a</think>\n\n", "think(a)");
  expect_parts({.may_think = true, .is_thinking = true}, "so </thin</think>so",
               "think(so </thin)say(so)");
}

TEST(AnswerParser, FindsHermesCalls) {
  expect_parts(kHermes,
               "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}\n</tool_call>",
               "call 0 f({\"a\": [1, \"}\"]})");
  expect_parts(kHermes,
               "I look. <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>\n<tool_call>"
               "{\"name\":\"g\",\"arguments\":{\"x\":\"\\\"}\"}}</tool_call> ",
               "say(I look.)call 0 f({})call 1 g({\"x\":\"\\\"}\"})");
  expect_parts(kHermes, "a <tool b", "say(a <tool b)");
}

TEST(AnswerParser, ReadsCallsInOtherOrdersAndForms) {
  expect_parts(kHermes, "<tool_call>{\"arguments\": {\"a\": 1}, \"name\": \"f\"}</tool_call>",
               "call 0 f({\"a\": 1})");
  expect_parts(kHermes,
               "<tool_call>{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1}\"}</tool_call>",
               "call 0 f({\"a\": 1})");
  expect_parts(kHermes, "<tool_call>{\"id\": 7, \"name\": \"f\"}</tool_call>", "call 0 f({})");
}

TEST(AnswerParser, FindsMistralsCalls) {
  const AnswerForm form{.tools = ToolFormat::mistral};
  expect_parts(form,
               "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}}, "
               "{\"name\": \"g\", \"arguments\": {}}]",
               "call 0 f({\"a\": 1})call 1 g({})");
}

TEST(AnswerParser, FindsCallsNamedBeforeTheirArguments) {
  const AnswerForm form{.tools = ToolFormat::mistral_args};
  expect_parts(form,
               "[TOOL_CALLS]f[ARGS]{\"a\": [{}, \"}\\\"\"]}[TOOL_CALLS]g[CALL_ID]abc[ARGS] {}",
               "call 0 f({\"a\": [{}, \"}\\\"\"]})call 1 g({})");
  expect_parts(form, "So. [TOOL_CALLS]f[ARGS]{} more", "say(So.)call 0 f({})say(more)");
  for (const std::string odd : {"[{}]", "[ARGS]{}", "f {}", "f[OTHER]x[ARGS]{}", "f\n[ARGS]{}"})
    expect_parts(form, "[TOOL_CALLS]" + odd, "say(" + odd + ")");
}

TEST(AnswerParser, FindsCallsWithTaggedParameters) {
  const Json schema = parse_json(
      R"({"properties": {"text": {"type": "string"}, "n": {"type": "integer"}}})", "schema");
  const AnswerForm form{.tools = ToolFormat::qwen_coder,
                        .functions = std::make_shared<const std::vector<Tool>>(
                            std::vector<Tool>{{.name = "f", .parameters = schema}})};
  expect_parts(
      form,
      "<tool_call>\n<function=f>\n<parameter=text>\n\nif a < \"b\":\n  </param 차\n"
      "</parameter>\n<parameter=n>\n7\n</parameter>\n</function>\n</tool_call>\n"
      "<tool_call>\n<function=g>\n</function>\n</tool_call>",
      "call 0 f({\"text\": \"\\nif a < \\\"b\\\":\\n  </param 차\", \"n\": 7})call 1 g({})");
  const auto argument = [&](const std::string& name, const std::string& value) {
    const std::string text = "<tool_call><function=f><parameter=" + name + ">\n" + value +
                             "\n</parameter></function></tool_call>";
    return parsed(form, text, text.size());
  };
  EXPECT_EQ(argument("n", "True"), "call 0 f({\"n\": true})");
  EXPECT_EQ(argument("n", "None"), "call 0 f({\"n\": null})");
  EXPECT_EQ(argument("other", "[1,\n2]"), "call 0 f({\"other\": [1,2]})");
  EXPECT_EQ(argument("other", "no JSON"), "call 0 f({\"other\": \"no JSON\"})");
  EXPECT_EQ(argument("text", ""), "call 0 f({\"text\": \"\"})");
  EXPECT_EQ(argument("text", "True"), "call 0 f({\"text\": \"True\"})");
  for (const std::string odd : {"<functio", "<function=>", "{}", "<function=f\n>"})
    expect_parts(form, "<tool_call>" + odd, "say(" + odd + ")");
}

TEST(AnswerParser, FindsLlamasCall) {
  const AnswerForm form{.tools = ToolFormat::llama3};
  expect_parts(form, "{\"name\": \"f\", \"parameters\": {\"a\": null}}", "call 0 f({\"a\": null})");
  expect_parts(form, "It is {\"name\": 1}", "say(It is {\"name\": 1})");
}

TEST(AnswerParser, BeginsInsideOfACall) {
  expect_parts({.tools = ToolFormat::hermes, .is_calling = true},
               "\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>", "call 0 f({})");
}

TEST(AnswerParser, WhatIsNoCallIsText) {
  expect_parts(kHermes, "<tool_call>nothing", "say(nothing)");
  expect_parts(kHermes, "<tool_call>{\"nam", "say({\"nam)");
  expect_parts(kHermes, "<tool_call>{}</tool_call>", "say({}</tool_call>)");
  expect_parts({.tools = ToolFormat::mistral}, "[TOOL_CALLS][\n\nno", "say(no)");
  expect_parts({.tools = ToolFormat::mistral}, "[TOOL_CALLS][ [", "say([)");
}

TEST(AnswerParser, ACallThatBreaksAfterItsNameKeepsWhatItHas) {
  expect_parts(kHermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1} x, \"b\"",
               "call 0 f({\"a\": 1})say(, \"b\")");
}

TEST(AnswerParser, OfTwoNamesTheFirstCounts) {
  expect_parts(kHermes, "<tool_call>{\"name\": \"f\", \"name\": \"g\"}</tool_call>",
               "call 0 f({})");
}

TEST(AnswerParser, BlanksAfterACallAreNoText) {
  expect_parts(kHermes, "<tool_call>{\"name\": \"f\"}</tool_call>\n <to be",
               "call 0 f({})say(<to be)");
  expect_parts(kHermes, "<tool_call>{\"name\": \"f\"}\n", "call 0 f({})");
}

TEST(AnswerParser, ACallThatIsCutShortKeepsWhatItHas) {
  expect_parts(kHermes, "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"b",
               "call 0 f({\"a\": \"b)");
}

}  // namespace
}  // namespace malssi
