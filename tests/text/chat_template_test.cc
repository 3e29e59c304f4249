// Chat templates: the text is what transformers' Jinja makes of the template that is saved (fixtures/make_fixtures.mjs).
#include "text/chat_template.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "scratch.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

TEST(ChatTemplate, RendersAsItsJinjaDoesInTransformers) {
  const Json golden = parse_json(read_file(fixture("golden.json")), "golden.json");
  for (const Json& chat : golden["chats"]) {
    const auto style = chat["style"].get<std::string>();
    const ChatTemplate ours = ChatTemplate::named(style);
    EXPECT_EQ(ours.jinja(), chat["jinja"].get<std::string>()) << style;
    std::vector<Message> messages;
    for (const Json& m : chat["messages"])
      messages.push_back({m["role"].get<std::string>(), m["content"].get<std::string>()});
    EXPECT_EQ(ours.render_text(messages, chat["add_generation_prompt"].get<bool>()),
              chat["text"].get<std::string>())
        << style;
  }
}

TEST(ChatTemplate, IsKnownByItsJinja) {
  for (const std::string& style : ChatTemplate::styles())
    EXPECT_EQ(ChatTemplate::from_jinja(ChatTemplate::named(style).jinja(), "here").style(), style);
  EXPECT_NE(error_of([] { ChatTemplate::from_jinja("{% messages %}", "here"); }).find("here"),
            std::string::npos);
}

TEST(ChatTemplate, WhatAMessageSaysIsNeverASpecialToken) {
  const auto tokenizer = make_byte_tokenizer(default_special_tokens());
  const Message messages[] = {{"user", "<|end|>"}, {"assistant", "<|end|>"}};
  const EncodedChat chat = encode_chat(*tokenizer, ChatTemplate(), messages, false);
  const std::optional<int32_t> end = tokenizer->token_id("<|end|>");
  ASSERT_TRUE(end);
  EXPECT_EQ(std::count(chat.ids.begin(), chat.ids.end(), *end), 2);
  // Learned: the answer's seven bytes and the token that ends it.
  EXPECT_EQ(std::count(chat.trained.begin(), chat.trained.end(), true), 8);
}

}  // namespace
}  // namespace malssi
