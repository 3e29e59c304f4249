#include "data/sft.h"

#include <set>

#include "data/data_tools.h"

namespace malssi {
namespace {

std::unique_ptr<Tokenizer> chat_tokenizer() {
  std::vector<std::string> special = default_special_tokens();
  for (const char* style : {"chatml", "malssi"})
    for (const std::string& token : ChatTemplate::named(style).special_tokens())
      if (std::find(special.begin(), special.end(), token) == special.end())
        special.push_back(token);
  return make_byte_tokenizer(special);
}

Conversation turn(const std::string& question, const std::string& answer) {
  return {{"user", question}, {"assistant", answer}};
}

// Conversations of different lengths, in two languages, some with several turns.
std::vector<Conversation> some_conversations(int64_t count) {
  std::vector<Conversation> all;
  for (int64_t i = 0; i < count; ++i) {
    Conversation chat;
    if (i % 4 == 0) chat.push_back({"system", "짧게 답해라."});
    for (int64_t t = 0; t <= i % 3; ++t) {
      chat.push_back(
          {"user", concat("질문 ", i, " ", std::string(static_cast<size_t>(i % 17), 'q'))});
      chat.push_back(
          {"assistant", concat("답 ", i, " ", std::string(static_cast<size_t>(i % 23), 'a'))});
    }
    all.push_back(chat);
  }
  return all;
}

class SftFile : public testing::Test {
 protected:
  SftData load(std::string_view content, const LoadOptions& options = {}) {
    write_file(folder_ / "chats.jsonl", content);
    return load_sft(folder_ / "chats.jsonl", options);
  }
  std::string message(std::string_view content) {
    const std::string text = error_of([&] { load(content); });
    EXPECT_TRUE(is_one_line(text)) << text;
    EXPECT_TRUE(contains(text, "chats.jsonl")) << text;
    return text;
  }
  ScratchFolder folder_;
};

TEST_F(SftFile, ReadsMessagesAlpacaAndBothAsArrayOrLines) {
  const std::string chat =
      R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"안녕"},)"
      R"({"role":"assistant","content":"반가워","extra":1}],"id":7})";
  const std::string alpaca = R"({"instruction":"Add","input":"1 2","output":"3"})";
  const std::string bare =
      R"({"instruction":"Say hi","input":null,"output":"hi","system":"be kind"})";
  for (const std::string& content : {chat + "\n" + alpaca + "\n\n" + bare + "\n",
                                     "[" + chat + ",\n" + alpaca + "," + bare + "]"}) {
    const SftData data = load(content);
    ASSERT_EQ(data.conversations.size(), 3u);
    EXPECT_EQ(data.conversations[0][1].content, "안녕");
    EXPECT_EQ(data.conversations[0][2].role, "assistant");
    EXPECT_EQ(data.conversations[1][0].content, "Add\n\n1 2");
    EXPECT_EQ(data.conversations[1][1].content, "3");
    EXPECT_EQ(data.conversations[2][0].role, "system");
    EXPECT_EQ(data.conversations[2][1].content, "Say hi");
  }
}

TEST_F(SftFile, RecordsWithoutAnAnswerAreLeftOutAndCounted) {
  const SftData data = load(R"({"instruction":"a","output":"  "})"
                            "\n"
                            R"({"instruction":"b","output":"c"})");
  EXPECT_EQ(data.conversations.size(), 1u);
  EXPECT_EQ(data.empty_answers, 1);
}

TEST_F(SftFile, ErrorsNameTheLineAndWhatIsExpected) {
  const std::string good = R"({"instruction":"a","output":"b"})"
                           "\n";
  EXPECT_TRUE(contains(message(good + "{"), "line 2: not JSON"));
  EXPECT_TRUE(contains(message(good + "\n[1]"), "line 3: not an object"));
  EXPECT_TRUE(contains(message(good + R"({"prompt":"a","answer":"b"})"),
                       R"(line 2: found "prompt", "answer", expected {"messages")"));
  EXPECT_TRUE(contains(message(R"({"instruction":"a"})"), "line 1: \"output\" is missing"));
  EXPECT_TRUE(
      contains(message(R"({"instruction":3,"output":"b"})"), "\"instruction\" is not a string"));
  EXPECT_TRUE(contains(message(""), "empty"));
  EXPECT_TRUE(contains(message("\n\n"), "no conversation"));
  EXPECT_TRUE(contains(message(R"({"instruction":"a","output":""})"), "1 without an answer"));
  EXPECT_TRUE(contains(message(std::string("\x1f\x8b\0\0", 4)), "gzip"));
  EXPECT_TRUE(contains(error_of([] { load_sft("/absent.jsonl"); }), "/absent.jsonl"));
}

TEST_F(SftFile, MessagesAreCheckedOneByOne) {
  const auto with = [&](const std::string& messages) {
    return message(R"({"messages":)" + messages + "}");
  };
  const std::string user = R"({"role":"user","content":"q"})";
  const std::string assistant = R"({"role":"assistant","content":"a"})";
  EXPECT_TRUE(contains(with("3"), "\"messages\" is not a list"));
  EXPECT_TRUE(contains(with("[]"), "no answer to learn"));
  EXPECT_TRUE(contains(with("[" + user + "]"), "the last message is not the assistant's"));
  EXPECT_TRUE(
      contains(with("[" + assistant + "]"), "message 1: role \"assistant\", expected user"));
  EXPECT_TRUE(contains(with("[" + user + "," + user + "," + assistant + "]"),
                       "message 2: role \"user\", expected assistant"));
  EXPECT_TRUE(contains(with("[" + user + R"(,{"role":"system","content":"s"}])"),
                       "message 2: the system message"));
  EXPECT_TRUE(contains(with(R"([{"role":"bot","content":"x"}])"),
                       "role \"bot\", expected system, user or assistant"));
  EXPECT_TRUE(contains(with(R"([{"role":"user","content":" "},)" + assistant + "]"),
                       "message 1: its content is empty"));
  EXPECT_TRUE(contains(with("[" + user + R"(,{"role":"assistant"}])"),
                       "message 2: \"content\" is missing"));
  EXPECT_TRUE(contains(with("[7]"), "message 1: not an object"));
}

TEST_F(SftFile, BadRecordsCanBeSkippedAndCounted) {
  const SftData data = load(
      "{\n"
      R"({"instruction":"b","output":"c"})"
      "\n[]\n",
      {.skip_invalid = true});
  EXPECT_EQ(data.conversations.size(), 1u);
  EXPECT_EQ(data.invalid, 2);
  EXPECT_TRUE(contains(data.first_invalid, "line 1"));
}

TEST(SftHeldOut, TakesItsShareTheSameWayEachTime) {
  const std::vector<Conversation> all = some_conversations(50);
  std::vector<Conversation> kept = all, again = all, other = all;
  const std::vector<Conversation> held = take_held_out(kept, 0.1, 3);
  const std::vector<Conversation> held_again = take_held_out(again, 0.1, 3);
  EXPECT_EQ(held.size(), 5u);
  EXPECT_EQ(kept.size(), 45u);
  std::multiset<std::string> texts, expected;
  for (const std::vector<Conversation>* part : {&held, &std::as_const(kept)})
    for (const Conversation& chat : *part) texts.insert(chat.back().content);
  for (const Conversation& chat : all) expected.insert(chat.back().content);
  EXPECT_EQ(texts, expected);
  const auto first_words = [](const std::vector<Conversation>& chats) {
    std::vector<std::string> words;
    for (const Conversation& chat : chats) words.push_back(chat.back().content);
    return words;
  };
  EXPECT_EQ(first_words(held), first_words(held_again));
  EXPECT_NE(first_words(held), first_words(take_held_out(other, 0.1, 4)));
}

TEST(SftHeldOut, LeavesSomethingOnBothSides) {
  std::vector<Conversation> two = some_conversations(2), one = some_conversations(1);
  EXPECT_EQ(take_held_out(two, 0.01, 1).size(), 1u);
  EXPECT_EQ(take_held_out(one, 0.5, 1).size(), 0u);
  EXPECT_EQ(one.size(), 1u);
  EXPECT_EQ(take_held_out(two, 0, 1).size(), 0u);
  EXPECT_TRUE(contains(error_of([&] { take_held_out(two, 1, 1); }), "fraction 1"));
}

class Packing : public testing::TestWithParam<const char*> {
 protected:
  // What each conversation teaches: its ids, and which of them.
  using Lesson = std::pair<std::vector<int32_t>, std::vector<bool>>;

  // The lessons of a batch, read back from its sequences.
  static void read(const Batch& batch, std::multiset<Lesson>& lessons) {
    for (size_t s = 0; s + 1 < batch.starts.size(); ++s) {
      Lesson lesson;
      const size_t begin = static_cast<size_t>(batch.starts[s]),
                   end = static_cast<size_t>(batch.starts[s + 1]);
      bool scored = false;
      lesson.first.push_back(batch.ids[begin]);
      lesson.second.push_back(false);
      for (size_t i = begin; i < end; ++i) {
        lesson.first.push_back(batch.targets[i]);
        lesson.second.push_back(batch.weights[i] > 0);
        scored |= batch.weights[i] > 0;
        if (i + 1 < end && scored) {
          EXPECT_EQ(batch.ids[i + 1], batch.targets[i]);
        }
      }
      if (scored) lessons.insert(lesson);
    }
  }

  std::multiset<Lesson> expected(const std::vector<Conversation>& conversations) {
    std::multiset<Lesson> lessons;
    for (const Conversation& chat : conversations) {
      EncodedChat encoded = encode_chat(*tokenizer_, template_, chat, false);
      encoded.trained[0] = false;
      lessons.insert({encoded.ids, encoded.trained});
    }
    return lessons;
  }

  std::unique_ptr<Tokenizer> tokenizer_ = chat_tokenizer();
  ChatTemplate template_ = ChatTemplate::named(GetParam());
};

TEST_P(Packing, EveryConversationComesOnceAnEpochWholeAndAlone) {
  const std::vector<Conversation> conversations = some_conversations(60);
  const ChatSet chats(conversations, *tokenizer_, template_, {.context = 400});
  EXPECT_EQ(chats.truncated() + chats.dropped(), 0);
  for (const int64_t rows : {1, 2, 5}) {
    SftBatches batches(chats, {.rows = rows, .seed = 1});
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::multiset<Lesson> lessons;
      const int64_t count = batches.batches_per_epoch();
      for (int64_t i = 0; i < count; ++i) {
        const Batch batch = batches.next();
        expect_well_formed(batch, tokenizer_->vocab_size(), 400);
        EXPECT_EQ(batch.tokens(), rows * 400);
        read(batch, lessons);
      }
      EXPECT_EQ(batches.epochs(), epoch + 1);
      EXPECT_TRUE(lessons == expected(conversations));
    }
  }
}

TEST_P(Packing, OnlyTheAssistantsWordsAndTheirEndAreLearned) {
  const Conversation chat = {{"system", "S"},
                             {"user", "Q one"},
                             {"assistant", "첫 답"},
                             {"user", "Q two"},
                             {"assistant", "A two"}};
  const ChatSet chats({chat}, *tokenizer_, template_, {.context = 400});
  const ChatSet::Chat encoded = chats.at(0);
  std::vector<int32_t> learned, expected;
  for (size_t i = 0; i < encoded.ids.size(); ++i)
    if (encoded.trained[i]) learned.push_back(encoded.ids[i]);
  const int32_t end = *tokenizer_->token_id(template_.stop_tokens().front());
  for (const char* answer : {"첫 답", "A two"}) {
    tokenizer_->encode(answer, {}, expected);
    expected.push_back(end);
  }
  EXPECT_EQ(learned, expected);
  EXPECT_EQ(chats.trained_tokens(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(SftEvaluationBatches(chats, 1).at(0).scored(), static_cast<double>(expected.size()));
}

TEST_P(Packing, RestoreContinuesExactly) {
  const ChatSet chats(some_conversations(40), *tokenizer_, template_, {.context = 300});
  for (const int before : {0, 1, 7, 30}) {
    SftBatches a(chats, {.rows = 2, .seed = 5}), b(chats, {.rows = 2, .seed = 5});
    for (int i = 0; i < before; ++i) a.next();
    b.restore(parse_json(dump_json(a.state()), "state"));
    EXPECT_EQ(a.epochs(), b.epochs());
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(same(a.next(), b.next()));
  }
  SftBatches a(chats, {.rows = 2, .seed = 5}), other(chats, {.rows = 2, .seed = 6});
  EXPECT_TRUE(contains(error_of([&] { other.restore(a.state()); }), "\"seed\" was 5 and is 6"));
}

TEST_P(Packing, EpochsAreShuffledAnewAndSeedsDiffer) {
  const ChatSet chats(some_conversations(40), *tokenizer_, template_, {.context = 300});
  SftBatches a(chats, {.rows = 1, .seed = 5}), b(chats, {.rows = 1, .seed = 6});
  const Batch first = a.next();
  EXPECT_FALSE(same(first, b.next()));
  while (a.epochs() < 1) a.next();
  EXPECT_FALSE(same(first, a.next()));
}

TEST_P(Packing, LittleRoomIsLost) {
  const ChatSet chats(some_conversations(2000), *tokenizer_, template_, {.context = 512});
  SftBatches batches(chats, {.rows = 4, .seed = 1});
  const double needed = static_cast<double>(chats.tokens() - chats.size()) / (4 * 512);
  EXPECT_LT(static_cast<double>(batches.batches_per_epoch()), needed * 1.02 + 1);
}

TEST_P(Packing, EvaluationTakesEveryConversationOnce) {
  const std::vector<Conversation> conversations = some_conversations(30);
  const ChatSet chats(conversations, *tokenizer_, template_, {.context = 400});
  const SftEvaluationBatches batches(chats, 2);
  std::multiset<Lesson> lessons;
  for (int64_t i = 0; i < batches.size(); ++i) {
    expect_well_formed(batches.at(i), tokenizer_->vocab_size(), 400);
    read(batches.at(i), lessons);
  }
  EXPECT_TRUE(lessons == expected(conversations));
}

INSTANTIATE_TEST_SUITE_P(Styles, Packing, testing::Values("malssi", "chatml"));

TEST(ChatSet, TooLongIsTruncatedDroppedOrRefused) {
  const auto tokenizer = chat_tokenizer();
  const ChatTemplate style;
  const std::vector<Conversation> chats = {turn("short", "one"), turn("q", std::string(100, 'a')),
                                           turn(std::string(100, 'q'), "never reached")};
  const ChatSet cut(chats, *tokenizer, style, {.context = 50});
  EXPECT_EQ(cut.size(), 2);
  EXPECT_EQ(cut.truncated(), 1);
  EXPECT_EQ(cut.dropped(), 1);  // its answer lies beyond the context
  EXPECT_EQ(cut.at(1).ids.size(), 51u);
  const ChatSet dropped(chats, *tokenizer, style, {.context = 50, .too_long = "drop"});
  EXPECT_EQ(dropped.size(), 1);
  EXPECT_EQ(dropped.dropped(), 2);
  const auto with = [&](const ChatSetOptions& options) {
    return error_of([&] { ChatSet(chats, *tokenizer, style, options); });
  };
  EXPECT_TRUE(contains(with({.context = 50, .too_long = "refuse"}), "conversation 2 has"));
  EXPECT_TRUE(contains(with({.context = 50, .too_long = "x"}), "\"x\""));
  EXPECT_TRUE(contains(with({.context = 2}), "none of 3 conversations"));
}

TEST(ChatSet, ATokenizerWithoutTheTemplatesTokensIsRefused) {
  const auto plain = make_byte_tokenizer();
  const std::string message =
      error_of([&] { ChatSet({turn("q", "a")}, *plain, ChatTemplate(), {.context = 50}); });
  EXPECT_TRUE(is_one_line(message)) << message;
}

TEST(SftReal, AlpacaFilesLoadWhole) {
  const fs::path data = fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "sft";
  if (!fs::exists(data)) GTEST_SKIP() << "no ../shared/data here";
  EXPECT_EQ(load_sft(data / "alpaca_en_demo.json").conversations.size(), 999u);
  const SftData random = load_sft(data / "alpaca_random_9k.json");
  EXPECT_EQ(random.conversations.size(), 9225u);
  EXPECT_EQ(random.empty_answers, 4);
  const ChatSet chats(random.conversations, *chat_tokenizer(), ChatTemplate(), {.context = 1024});
  EXPECT_EQ(chats.size() + chats.dropped(), 9225);
  SftBatches batches(chats, {.rows = 4});
  EXPECT_GT(batches.next().scored(), 100);
}

}  // namespace
}  // namespace malssi
