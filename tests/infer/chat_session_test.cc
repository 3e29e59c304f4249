#include "infer/chat_session.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"

namespace malssi {
namespace {

struct Chat {
  ChatTemplate style;
  std::unique_ptr<Tokenizer> tokenizer = make_byte_tokenizer(style.special_tokens());

  ChatSession session(int64_t capacity = 4096, int64_t room = 16) {
    return ChatSession(*tokenizer, style, capacity, room);
  }
  std::vector<int32_t> encoded(const std::vector<Message>& messages) {
    return encode_chat(*tokenizer, style, messages, true).ids;
  }
};

TEST(ChatSession, PutsTheWholeConversationIntoEveryPrompt) {
  Chat chat;
  ChatSession session = chat.session();
  EXPECT_EQ(session.ask("one").ids, chat.encoded({{"user", "one"}}));
  session.answer("two");
  EXPECT_EQ(session.ask("three").ids,
            chat.encoded({{"user", "one"}, {"assistant", "two"}, {"user", "three"}}));
}

TEST(ChatSession, LeadsWithTheSystemMessage) {
  Chat chat;
  ChatSession session = chat.session();
  session.set_system("be brief");
  EXPECT_EQ(session.ask("one").ids, chat.encoded({{"system", "be brief"}, {"user", "one"}}));
}

TEST(ChatSession, WithdrawsAQuestionThatGotNoAnswer) {
  Chat chat;
  ChatSession session = chat.session();
  session.ask("lost");
  session.answer("");
  EXPECT_TRUE(session.empty());
  EXPECT_EQ(session.ask("one").ids, chat.encoded({{"user", "one"}}));
}

TEST(ChatSession, UndoTakesBackTheLastExchange) {
  Chat chat;
  ChatSession session = chat.session();
  EXPECT_FALSE(session.undo());
  session.ask("one");
  session.answer("two");
  session.ask("three");
  session.answer("four");
  EXPECT_TRUE(session.undo());
  EXPECT_EQ(session.messages().size(), 2u);
  EXPECT_TRUE(session.undo());
  EXPECT_TRUE(session.empty());
}

TEST(ChatSession, ResetKeepsTheSystemMessage) {
  Chat chat;
  ChatSession session = chat.session();
  session.set_system("s");
  session.ask("one");
  session.answer("two");
  session.reset();
  EXPECT_EQ(session.ask("three").ids, chat.encoded({{"system", "s"}, {"user", "three"}}));
}

TEST(ChatSession, ForgetsTheOldestTurnsWhenTheContextIsFull) {
  Chat chat;
  ChatSession session = chat.session(200, 20);
  int64_t forgotten = 0;
  for (int i = 0; i < 30; ++i) {
    const auto prompt = session.ask("question " + std::to_string(i));
    EXPECT_LE(static_cast<int64_t>(prompt.ids.size()), 180);
    forgotten += prompt.forgotten;
    session.answer("answer " + std::to_string(i));
  }
  EXPECT_GT(forgotten, 0);
  EXPECT_EQ(forgotten % 2, 0);
  EXPECT_EQ(session.messages().size(), 60u);  // all of it can still be saved
  // The next prompt is the end of the conversation, whole exchanges only.
  const auto ids = session.ask("last").ids;
  std::vector<Message> all = session.messages();
  all.erase(all.begin(), all.begin() + forgotten);
  EXPECT_EQ(ids, chat.encoded(all));
}

TEST(ChatSession, RefusesAMessageThatNeverFitsAndGoesOnWithoutIt) {
  Chat chat;
  ChatSession session = chat.session(100, 20);
  session.ask("one");
  session.answer("two");
  EXPECT_THROW(session.ask(std::string(150, 'x')), Error);
  EXPECT_EQ(session.messages().size(), 2u);
  EXPECT_EQ(session.ask("three").ids,
            chat.encoded({{"user", "one"}, {"assistant", "two"}, {"user", "three"}}));
}

TEST(ChatSession, RefusesTextThatIsNotUtf8) {
  Chat chat;
  ChatSession session = chat.session();
  EXPECT_THROW(session.ask("\xC0\x80"), Error);
  EXPECT_TRUE(session.empty());
}

TEST(ChatSession, SavesAsALineThatTuningReads) {
  Chat chat;
  ChatSession session = chat.session();
  session.set_system("s");
  session.ask("\"말\"\n");
  session.answer("씨");
  const std::string line = session.to_json_line();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const Json json = parse_json(line, "line");
  ASSERT_EQ(json["messages"].size(), 3u);
  EXPECT_EQ(json["messages"][1]["role"], "user");
  EXPECT_EQ(json["messages"][1]["content"], "\"말\"\n");
  EXPECT_EQ(json["messages"][2]["content"], "씨");
}

}  // namespace
}  // namespace malssi
