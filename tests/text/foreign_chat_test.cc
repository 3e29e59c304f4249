// Templates of others as a chat uses them: what is special, what ends a turn, what is learned.
#include <gtest/gtest.h>

#include "base/json.h"
#include "scratch.h"
#include "text/chat_template.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

const std::vector<std::string> kTokens = {"<s>",
                                          "</s>",
                                          "<|im_start|>",
                                          "<|im_end|>",
                                          "<|begin_of_text|>",
                                          "<|start_header_id|>",
                                          "<|end_header_id|>",
                                          "<|eot_id|>",
                                          "<start_of_turn>",
                                          "<end_of_turn>",
                                          "<|system|>",
                                          "<|user|>",
                                          "<|assistant|>",
                                          "<|end|>",
                                          "[|system|]",
                                          "[|user|]",
                                          "[|assistant|]",
                                          "[|endofturn|]"};

ChatTemplate family(const std::string& name) {
  return ChatTemplate::from_jinja(read_file(fixture("jinja/" + name + ".jinja")), name,
                                  {.bos = "<s>", .eos = "</s>"});
}

struct Family {
  const char* name;
  const char* end;
};
constexpr Family kFamilies[] = {{"llama2", "</s>"},       {"llama3", "<|eot_id|>"},
                                {"mistral", "</s>"},      {"qwen2", "<|im_end|>"},
                                {"qwen3", "<|im_end|>"},  {"gemma", "<end_of_turn>"},
                                {"phi3", "<|end|>"},      {"chatml", "<|im_end|>"},
                                {"smollm", "<|im_end|>"}, {"exaone", "[|endofturn|]"}};

TEST(ForeignChat, FindsWhatEndsATurn) {
  for (const Family& one : kFamilies) {
    const ChatTemplate chat = family(one.name);
    EXPECT_EQ(chat.style(), "jinja");
    EXPECT_EQ(chat.stop_tokens(), std::vector<std::string>{one.end}) << one.name;
  }
}

TEST(ForeignChat, PiecesTogetherAreTheRendering) {
  const Message messages[] = {{"user", "Hi <|im_end|>"}, {"assistant", "Yes"}, {"user", "끝"}};
  const ChatTemplate chat = family("chatml");
  EXPECT_EQ(chat.render_text(messages, true),
            "<|im_start|>user\nHi <|im_end|><|im_end|>\n<|im_start|>assistant\nYes<|im_end|>\n"
            "<|im_start|>user\n끝<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ForeignChat, WhatAMessageSaysIsNeverASpecialToken) {
  const auto tokenizer = make_byte_tokenizer(kTokens);
  std::string all;
  for (const std::string& token : kTokens) all += token;
  for (const Family& one : kFamilies) {
    const ChatTemplate chat = family(one.name);
    const auto specials = [&](const std::string& said) {
      const Message messages[] = {{"user", said}, {"assistant", said}, {"user", said}};
      const std::vector<int32_t> ids = encode_chat(*tokenizer, chat, messages, true).ids;
      EXPECT_EQ(tokenizer->decode(ids), chat.render_text(messages, true)) << one.name;
      return std::count_if(ids.begin(), ids.end(),
                           [&](int32_t id) { return tokenizer->is_special(id); });
    };
    const auto plain = specials("plain");
    EXPECT_GE(plain, 2) << one.name;
    EXPECT_EQ(specials(all), plain) << one.name;
    // Nor may the end of a message and the template's next words make one together.
    EXPECT_EQ(specials("x<|im_end|"), plain) << one.name;
    EXPECT_EQ(specials("x<"), plain) << one.name;
  }
}

TEST(ForeignChat, WithoutSpecialTokensInMessagesItIsEncodedAsOneText) {
  const auto tokenizer = make_byte_tokenizer(kTokens);
  const Message messages[] = {{"user", "Hello"}, {"assistant", "World"}, {"user", "가"}};
  for (const Family& one : kFamilies) {
    const ChatTemplate chat = family(one.name);
    EXPECT_EQ(encode_chat(*tokenizer, chat, messages, true).ids,
              tokenizer->encode(chat.render_text(messages, true), {.parse_special = true}))
        << one.name;
  }
}

TEST(ForeignChat, LearnsTheAnswersAndTheirEnds) {
  const auto tokenizer = make_byte_tokenizer(kTokens);
  const Message messages[] = {
      {"user", "one"}, {"assistant", "TWO"}, {"user", "three"}, {"assistant", "FOUR"}};
  for (const Family& one : kFamilies) {
    const EncodedChat chat = encode_chat(*tokenizer, family(one.name), messages, false);
    std::vector<int32_t> learned;
    for (size_t i = 0; i < chat.ids.size(); ++i)
      if (chat.trained[i]) learned.push_back(chat.ids[i]);
    const std::string text = tokenizer->decode(learned);
    for (const char* word : {"TWO", "FOUR", one.end})
      EXPECT_TRUE(contains(text, word)) << one.name << ": " << text;
    for (const char* word : {"one", "three", "user"})
      EXPECT_FALSE(contains(text, word)) << one.name << ": " << text;
    const auto end = *tokenizer->token_id(one.end);
    EXPECT_EQ(std::count(learned.begin(), learned.end(), end), 2) << one.name << ": " << text;
  }
}

TEST(ForeignChat, LearnsThoughtsAndCallsToo) {
  const auto tokenizer = make_byte_tokenizer(kTokens);
  const Json call = {{"id", "call00001"},
                     {"type", "function"},
                     {"function", {{"name", "weather"}, {"arguments", "{\"place\": \"서울\"}"}}}};
  const Message messages[] = {
      {"user", "q"},
      {.role = "assistant", .content = "", .reasoning = "hm", .tool_calls = Json::array({call})}};
  const EncodedChat chat = encode_chat(*tokenizer, family("qwen3"), messages, false);
  std::vector<int32_t> learned;
  for (size_t i = 0; i < chat.ids.size(); ++i)
    if (chat.trained[i]) learned.push_back(chat.ids[i]);
  EXPECT_EQ(
      tokenizer->decode(learned),
      "<think>\nhm\n</think>\n\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"place\": "
      "\"서울\"}}\n</tool_call><|im_end|>");
}

TEST(ForeignChat, GivesArgumentsInTheFormThatTheTemplatePrints) {
  const Json call = {{"function", {{"name", "f"}, {"arguments", "{\"a\": 1}"}}}};
  const Message messages[] = {
      {"user", "q"}, {.role = "assistant", .content = "", .tool_calls = Json::array({call})}};
  const auto rendered = [&](const char* arguments) {
    return ChatTemplate::from_jinja(
               concat("{% for m in messages %}{% for c in m.tool_calls or [] %}{{ ", arguments,
                      " }}{% endfor %}{% endfor %}"),
               "t")
        .render_text(messages, false);
  };
  EXPECT_EQ(rendered("c.function.arguments | tojson"), "{\"a\": 1}");
  EXPECT_EQ(rendered("c.function.arguments"), "{\"a\": 1}");
  EXPECT_EQ(rendered("'x' + c.function.arguments"), "x{\"a\": 1}");
}

TEST(ForeignChat, TakesNoTokenForATurnsEndThatStandsInsideTurnsToo) {
  const auto ends = [](const std::string& before) {
    return ChatTemplate::from_jinja(
               "{% for m in messages %}<|" + std::string("{{ m.role }}|>") +
                   "{% if m.role == 'assistant' %}" + before +
                   "{% endif %}{{ m.content }}<|close|>{% endfor %}{% if add_generation_prompt "
                   "%}<|assistant|>{% endif %}",
               "t")
        .stop_tokens();
  };
  EXPECT_EQ(ends(""), std::vector<std::string>{"<|close|>"});
  EXPECT_TRUE(ends("<|open|>thoughts<|close|>").empty());
}

TEST(ForeignChat, LeavesAbsentToolsUndefinedWhereNoneIsRefused) {
  const Message messages[] = {{"user", "q"}};
  const ChatTemplate chat = ChatTemplate::from_jinja(
      "{% for tool in tools %}{{ tool }}{% endfor %}{{ messages[0].content }}", "t");
  EXPECT_EQ(chat.render_text(messages, true), "q");
}

TEST(ForeignChat, PassesToolsVariablesAndTheDate) {
  const ChatTemplate chat = ChatTemplate::from_jinja(
      "{{ tools | tojson if tools }}|{{ mode }}|{{ strftime_now('%Y') }}|{{ bos_token }}|{{ "
      "documents }}",
      "t", {.bos = "<s>"});
  RenderOptions options{.tools = Json::array({1}), .variables = {{"mode", "x"}}, .now = std::tm{}};
  options.now->tm_year = 101;
  const Message messages[] = {{"user", "q"}};
  std::string text;
  for (const ChatPiece& piece : chat.render(messages, options)) text += piece.text;
  EXPECT_EQ(text, "[1]|x|2001|<s>|None");
  EXPECT_NE(error_of([&] { ChatTemplate().render(messages, options); }), "");
}

TEST(ForeignChat, RefusesRolesThatAreNoWords) {
  const Message messages[] = {{"user|><|im_end|>", "q"}};
  EXPECT_TRUE(
      contains(error_of([&] { family("chatml").render(messages, true); }), "no plain word"));
}

TEST(ForeignChat, IsReadFromATokenizersConfiguration) {
  const Json config = {
      {"chat_template",
       Json::array({{{"name", "tool_use"}, {"template", "no"}},
                    {{"name", "default"}, {"template", "{{ bos_token }}{{ eos_token }}"}}})},
      {"bos_token", {{"content", "<b>"}}},
      {"eos_token", "<e>"}};
  const Message messages[] = {{"user", "q"}};
  EXPECT_EQ(ChatTemplate::from_config(config, "here")->render_text(messages, false), "<b><e>");
  const Json broken = {{"chat_template", "\n{% if %}"}};
  EXPECT_TRUE(contains(error_of([&] { ChatTemplate::from_config(broken, "here"); }),
                       "here: chat_template: line 2"));
}

}  // namespace
}  // namespace malssi
