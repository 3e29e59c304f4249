#include "data/preference.h"

#include <set>

#include "data/data_tools.h"
#include "data/dialogue_text.h"
#include "data/preference_draws.h"

namespace malssi {
namespace {

std::unique_ptr<Tokenizer> chat_bytes() {
  std::vector<std::string> special = default_special_tokens();
  return make_byte_tokenizer(special);
}

class PreferenceFile : public testing::Test {
 protected:
  PreferenceData load(std::string_view content, PreferenceKind kind = PreferenceKind::pairs,
                      const LoadOptions& options = {}) {
    overwrite(folder_ / "pairs.jsonl", content);
    return load_preferences(folder_ / "pairs.jsonl", kind, options);
  }
  Preference one(std::string_view content, PreferenceKind kind = PreferenceKind::pairs) {
    const PreferenceData data = load(content, kind);
    EXPECT_EQ(data.records.size(), 1u);
    return data.records.at(0);
  }
  // Prompt and answers in short: "u:..|a:.. > a:.. > a:..".
  static std::string shape(const Preference& record) {
    const auto chat = [](const Conversation& messages) {
      std::string text;
      for (const Message& message : messages)
        text += (text.empty() ? "" : "|") + message.role.substr(0, 1) + ":" + message.content;
      return text;
    };
    std::string text = chat(record.prompt);
    for (const Conversation& answer : record.answers) text += " > " + chat(answer);
    return text;
  }
  std::string message(std::string_view content, PreferenceKind kind = PreferenceKind::pairs) {
    const std::string text = error_of([&] { load(content, kind); });
    EXPECT_TRUE(is_one_line(text)) << text;
    EXPECT_TRUE(contains(text, "pairs.jsonl")) << text;
    return text;
  }
  ScratchFolder folder_;
};

TEST_F(PreferenceFile, ReadsPairsOfTextsMessagesAndDialogues) {
  EXPECT_EQ(shape(one(R"({"prompt":"hi","chosen":"yes","rejected":"no","margin":2.5})")),
            "u:hi > a:yes > a:no");
  EXPECT_EQ(one(R"({"prompt":"hi","chosen":"yes","rejected":"no","margin":2.5})").margin, 2.5);
  EXPECT_EQ(
      shape(one(R"({"prompt":[{"role":"system","content":"s"},{"role":"user","content":"hi"}],)"
                R"("chosen":[{"role":"assistant","content":"yes"}],)"
                R"("rejected":[{"role":"assistant","content":"no"}]})")),
      "s:s|u:hi > a:yes > a:no");
  EXPECT_EQ(shape(one(R"({"conversations":[{"from":"human","value":"hi"}],)"
                      R"("chosen":{"from":"gpt","value":"yes"},)"
                      R"("rejected":{"from":"gpt","value":"no"}})")),
            "u:hi > a:yes > a:no");
  EXPECT_EQ(
      shape(one(R"({"chosen":"\n\nHuman: hi\n\nAssistant: oh\n\nHuman: so?\n\nAssistant: yes",)"
                R"("rejected":"\n\nHuman: hi\n\nAssistant: oh\n\nHuman: so?\n\nAssistant: no"})")),
      "u:hi|a:oh|u:so? > a:yes > a:no");
}

TEST_F(PreferenceFile, FindsThePromptThatBothAnswersBeginWith) {
  EXPECT_EQ(
      shape(one(
          R"({"chosen":[{"role":"user","content":"hi"},{"role":"assistant","content":"yes"}],)"
          R"("rejected":[{"role":"user","content":"hi"},{"role":"assistant","content":"no"}]})")),
      "u:hi > a:yes > a:no");
  EXPECT_EQ(shape(one(R"({"chosen":"The sky is blue.","rejected":"The sky is bloody."})")),
            "u:The sky is > a:blue. > a:bloody.");
  EXPECT_EQ(shape(one(R"({"prompt":"hi","chosen":[{"role":"user","content":"hi"},)"
                      R"({"role":"assistant","content":"yes"}],)"
                      R"("rejected":[{"role":"user","content":"hi"},)"
                      R"({"role":"assistant","content":"no"}]})")),
            "u:hi > a:yes > a:no");
}

TEST_F(PreferenceFile, ADialogueMayEndWithoutAnAnswer) {
  EXPECT_EQ(
      shape(one(R"({"prompt":"\n\nHuman: hi\n\nAssistant:","chosen":"yes","rejected":"no"})")),
      "u:hi > a:yes > a:no");
  const PreferenceData data = load(R"({"prompt":"hi","chosen":"yes","rejected":"no"}
{"chosen":"\n\nHuman: hi\n\nAssistant:","rejected":"\n\nHuman: hi\n\nAssistant: no"})");
  EXPECT_EQ(data.undecided, 1);
}

TEST_F(PreferenceFile, ReadsJudgedAnswersAndRankings) {
  const Preference judged =
      one(R"({"prompt":"hi","completion":"yes","label":false})", PreferenceKind::judged);
  EXPECT_EQ(shape(judged), "u:hi > a:yes");
  EXPECT_EQ(judged.liked, false);
  EXPECT_EQ(shape(one(R"({"messages":[{"role":"user","content":"hi"},)"
                      R"({"role":"assistant","content":"yes"}],"label":true})",
                      PreferenceKind::judged)),
            "u:hi > a:yes");
  EXPECT_EQ(
      shape(one(R"({"prompt":"hi","ranked":["best","good","bad"]})", PreferenceKind::rankings)),
      "u:hi > a:best > a:good > a:bad");
  const PreferenceData pair =
      load(R"({"prompt":"hi","chosen":"yes","rejected":"no"})", PreferenceKind::judged);
  ASSERT_EQ(pair.records.size(), 2u);
  EXPECT_EQ(pair.records[0].liked, true);
  EXPECT_EQ(pair.records[1].liked, false);
}

TEST_F(PreferenceFile, LeavesOutWhatDecidesNothing) {
  const PreferenceData data = load(R"({"prompt":"hi","chosen":"yes","rejected":"no"}
{"prompt":"hi","chosen":"same","rejected":"same"}
{"prompt":"hi","chosen":"yes","rejected":" "})");
  EXPECT_EQ(data.records.size(), 1u);
  EXPECT_EQ(data.undecided, 2);
}

TEST_F(PreferenceFile, NamesTheLineThatIsWrong) {
  const std::string good = R"({"prompt":"hi","chosen":"yes","rejected":"no"})";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{", "not JSON"},
      {"[]]", ""},
      {R"({"prompt":"hi"})", "found \"prompt\""},
      {R"({"prompt":"hi","chosen":"yes"})", "\"rejected\" is missing"},
      {R"({"prompt":"hi","chosen":1,"rejected":"no"})", "expected a text or a list"},
      {R"({"chosen":"yes","rejected":"no"})", "do not share a beginning"},
      {R"({"prompt":" ","chosen":"yes","rejected":"no"})", "empty"},
      {R"({"prompt":"hi","chosen":[],"rejected":"no"})", "the list is empty"},
      {R"({"prompt":"hi","completion":"yes","label":true})", "\"label\""},
      {R"({"prompt":"hi","ranked":["a","b","c"]})", "ranking"},
      {R"({"prompt":"hi","chosen":"a","rejected":"b","margin":"x"})", "not a number"},
      {R"({"prompt":"hi","chosen":[{"role":"user","content":"other"}],"rejected":"b"})",
       "role \"user\""}};
  for (const auto& [line, words] : wrong) {
    const std::string text = message(good + "\n" + line);
    EXPECT_TRUE(contains(text, "line 2")) << text;
    EXPECT_TRUE(contains(text, words)) << text;
    const PreferenceData rest =
        load(good + "\n" + line, PreferenceKind::pairs, {.skip_invalid = true});
    EXPECT_EQ(rest.records.size(), 1u);
    EXPECT_EQ(rest.invalid, 1);
  }
  EXPECT_TRUE(
      contains(message(R"({"prompt":"hi","completion":"yes","label":1})", PreferenceKind::judged),
               "not true or false"));
  EXPECT_TRUE(contains(message(R"({"prompt":"hi","ranked":["a"]})", PreferenceKind::rankings),
                       "1 answers"));
}

TEST(DialogueText, JoinsTurnsOfOneSpeakerAndKeepsAnEmptyLastOne) {
  const std::vector<Message> chat =
      read_dialogue_text("\n\nHuman: a\n\nHuman: b \n\nAssistant: c\n\nHuman: d\n\nAssistant:");
  ASSERT_EQ(chat.size(), 4u);
  EXPECT_EQ(chat[0].content, "a\n\nb");
  EXPECT_EQ(chat[1].content, "c");
  EXPECT_EQ(chat[2].role, "user");
  EXPECT_EQ(chat[3].content, "");
}

TEST(PreferenceSet, ScoresTheAnswerWithItsEndAndNothingBefore) {
  const auto tokenizer = chat_bytes();
  const ChatTemplate chat;
  const std::vector<Preference> records = {
      {.prompt = {{"user", "one"}, {"assistant", "two"}, {"user", "three"}},
       .answers = {{{"assistant", "yes"}}, {{"assistant", "no"}}}}};
  const PreferenceSet set(records, *tokenizer, chat, {.context = 200});
  ASSERT_EQ(set.size(), 1);
  ASSERT_EQ(set.sequences(), 2);
  const std::string end = chat.stop_tokens().front();
  for (int64_t s = 0; s < 2; ++s) {
    const auto sequence = set.sequence(s);
    std::vector<int32_t> scored;
    for (size_t i = 0; i < sequence.ids.size(); ++i)
      if (sequence.scored[i]) scored.push_back(sequence.ids[i]);
    EXPECT_EQ(tokenizer->decode(scored), (s == 0 ? "yes" : "no") + end);
    EXPECT_EQ(sequence.answer_tokens, static_cast<int64_t>(scored.size()));
  }
  const Batch batch = sequence_batch(set, std::vector<int64_t>{1, 0});
  EXPECT_EQ(batch.starts.size(), 3u);
  EXPECT_EQ(batch.scored(),
            static_cast<double>(set.sequence(0).answer_tokens + set.sequence(1).answer_tokens));
}

TEST(PreferenceSet, LeavesOutOrRefusesWhatIsTooLongAndCutsNothing) {
  const auto tokenizer = chat_bytes();
  const ChatTemplate chat;
  const std::string tale(100, 'x');
  const std::vector<Preference> records = {
      {.prompt = {{"user", "q"}}, .answers = {{{"assistant", "a"}}, {{"assistant", tale}}}},
      {.prompt = {{"user", tale}}, .answers = {{{"assistant", "a"}}, {{"assistant", "b"}}}},
      {.prompt = {{"user", "q"}}, .answers = {{{"assistant", "a"}}, {{"assistant", "b"}}}}};
  const PreferenceSet cut(records, *tokenizer, chat, {.context = 40});
  EXPECT_EQ(cut.size(), 1);
  EXPECT_EQ(cut.dropped(), 2);
  EXPECT_TRUE(contains(error_of([&] {
                         PreferenceSet(records, *tokenizer, chat,
                                       {.context = 40, .too_long = "refuse"});
                       }),
                       "preference 1"));
  EXPECT_TRUE(contains(error_of([&] { PreferenceSet(records, *tokenizer, chat, {.context = 2}); }),
                       "longer context"));
}

TEST(HeldOutPrompts, KeepAllRecordsOfAPromptTogether) {
  std::vector<Preference> records;
  for (int i = 0; i < 60; ++i)
    records.push_back({.prompt = {{"user", std::to_string(i % 20)}},
                       .answers = {{{"assistant", std::to_string(i)}}, {{"assistant", "x"}}}});
  std::vector<Preference> again = records;
  const std::vector<Preference> held = take_held_out_prompts(records, 0.25, 3);
  EXPECT_EQ(held.size(), 15u);
  EXPECT_EQ(records.size(), 45u);
  for (const Preference& out : held)
    for (const Preference& in : records) EXPECT_NE(out.prompt[0].content, in.prompt[0].content);
  EXPECT_EQ(take_held_out_prompts(again, 0.25, 3).front().answers[0][0].content,
            held.front().answers[0][0].content);
}

TEST(PreferenceSet, ItsHashTellsDataApart) {
  const auto tokenizer = chat_bytes();
  const ChatTemplate chat;
  std::vector<Preference> records = {
      {.prompt = {{"user", "q"}}, .answers = {{{"assistant", "a"}}, {{"assistant", "b"}}}}};
  const auto hash = [&] { return PreferenceSet(records, *tokenizer, chat, {}).hash(); };
  const uint64_t before = hash();
  EXPECT_EQ(hash(), before);
  std::swap(records[0].answers[0], records[0].answers[1]);
  EXPECT_NE(hash(), before);
}

TEST(Mismatched, GivesEachRecordTheAnswerOfAnother) {
  std::vector<Preference> records;
  for (int i = 0; i < 7; ++i)
    records.push_back({.prompt = {{"user", "q"}},
                       .answers = {{{"assistant", std::to_string(i)}}},
                       .liked = i % 2 == 0});
  add_mismatched(records);
  std::set<std::string> others;
  for (const Preference& record : records) {
    ASSERT_EQ(record.answers.size(), 2u);
    EXPECT_NE(record.answers[0][0].content, record.answers[1][0].content);
    others.insert(record.answers[1][0].content);
  }
  EXPECT_EQ(others.size(), 7u);
}

PreferenceSet numbered_set(const Tokenizer& tokenizer, int64_t count) {
  std::vector<Preference> records;
  for (int64_t i = 0; i < count; ++i)
    records.push_back({.prompt = {{"user", std::to_string(i)}},
                       .answers = {{{"assistant", "a"}}, {{"assistant", "b"}}}});
  return PreferenceSet(records, tokenizer, ChatTemplate(), {});
}

TEST(PreferenceDraws, TakeEachOnceAnEpochAndGoOnWhereTheyWere) {
  const auto tokenizer = chat_bytes();
  const PreferenceSet set = numbered_set(*tokenizer, 10);
  PreferenceDraws draws(set, 3);
  std::set<int64_t> epoch;
  const std::vector<int64_t> first = draws.next(7);
  const Json state = draws.state();
  const std::vector<int64_t> rest = draws.next(5);  // three of this epoch, two of the next
  epoch.insert(first.begin(), first.end());
  epoch.insert(rest.begin(), rest.begin() + 3);
  EXPECT_EQ(epoch.size(), 10u);
  PreferenceDraws again(set, 3);
  again.restore(state);
  EXPECT_EQ(again.next(5), rest);
  PreferenceDraws other(set, 4);
  EXPECT_TRUE(contains(error_of([&] { other.restore(state); }), "seed"));
  const PreferenceSet less = numbered_set(*tokenizer, 9);
  PreferenceDraws elsewhere(less, 3);
  EXPECT_TRUE(contains(error_of([&] { elsewhere.restore(state); }), "same data"));
}

TEST(PreferenceDraws, PiecesKeepGroupsWholeAndInOrder) {
  const auto tokenizer = chat_bytes();
  const PreferenceSet set = numbered_set(*tokenizer, 6);
  const std::vector<int64_t> groups = {4, 2, 0, 5};
  EXPECT_EQ(token_pieces(set, groups, 1).size(), 4u);
  EXPECT_EQ(token_pieces(set, groups, 1000).size(), 1u);
  std::vector<int64_t> joined;
  for (const auto& piece : token_pieces(set, groups, 30))
    joined.insert(joined.end(), piece.begin(), piece.end());
  EXPECT_EQ(joined, groups);
}

// Public sets, as their publishers wrote them.
TEST(PreferenceData, ReadsPublishedSets) {
  const fs::path folder = fs::path(MALSSI_SOURCE_DIR) / "../shared/data/pref";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << ": published sets are not compared";
  const PreferenceData pairs =
      load_preferences(folder / "dpo_en_demo.json", PreferenceKind::pairs, {});
  EXPECT_GT(pairs.records.size(), 250u);
  const PreferenceData judged =
      load_preferences(folder / "kto_en_demo.json", PreferenceKind::judged, {});
  EXPECT_GT(judged.records.size(), 250u);
}

}  // namespace
}  // namespace malssi
