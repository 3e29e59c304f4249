#include "data/mixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "data/data_tools.h"
#include "data/epoch_draws.h"
#include "data/loss_marks.h"
#include "data/preference_draws.h"
#include "data/sft.h"

namespace malssi {
namespace {

std::map<int64_t, int64_t> counted(const std::vector<int32_t>& records) {
  std::map<int64_t, int64_t> counts;
  for (const int32_t record : records) ++counts[record];
  return counts;
}

// 30 records once, 20 twice, 20 in every other epoch.
std::vector<double> mixed_weights() {
  std::vector<double> weights(30, 1.0);
  weights.insert(weights.end(), 20, 2.0);
  weights.insert(weights.end(), 20, 0.5);
  return weights;
}

TEST(Mixture, AFileMayNameItsWeight) {
  EXPECT_EQ(mix_part("a.jsonl").weight, 1);
  EXPECT_EQ(mix_part("a.jsonl:2").file, "a.jsonl");
  EXPECT_EQ(mix_part("C:/x:0.5").weight, 0.5);
  EXPECT_EQ(mix_part("a:b.jsonl").file, "a:b.jsonl");
  ScratchFolder folder;
  const std::string odd = (folder / "a:3").string();
  overwrite(odd, "x");
  EXPECT_EQ(mix_part(odd).weight, 1);
  for (const char* wrong : {"a:0", "a:-1", "a:1e9"})
    EXPECT_TRUE(contains(error_of([&] { mix_part(wrong); }), "expected more than 0")) << wrong;
  std::vector<std::string> specs = {"a:2"};
  make_mix_absolute(specs);
  EXPECT_EQ(specs[0], (fs::current_path() / "a:2").string());
}

TEST(Mixture, EachRecordComesAsOftenAsItsWeightSays) {
  const std::vector<double> weights = mixed_weights();
  std::map<int64_t, int64_t> total;
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    const auto records = epoch_records(70, weights, epoch);
    EXPECT_EQ(records.size(), 30u + 40u + 10u) << epoch;
    for (const auto& [record, times] : counted(records)) total[record] += times;
  }
  for (int64_t i = 0; i < 70; ++i)
    EXPECT_EQ(total[i], static_cast<int64_t>(4 * weights[static_cast<size_t>(i)])) << i;
}

TEST(Mixture, DrawsGoOnWhereTheyWere) {
  for (const std::vector<double>& weights : {std::vector<double>(), mixed_weights()}) {
    EpochDraws draws(70, weights, 3);
    draws.next(133);
    EpochDraws other(70, weights, 3);
    other.restore(draws.drawn());
    EXPECT_EQ(draws.next(200), other.next(200));
  }
}

class MixedChats : public testing::Test {
 protected:
  MixedChats() : tokenizer_(make_byte_tokenizer(default_special_tokens())) {
    for (int i = 0; i < 70; ++i)
      chats_.push_back({{"user", concat("q", i)}, {"assistant", concat("a", i)}});
  }
  ChatSet set() const { return {chats_, *tokenizer_, ChatTemplate(), {.context = 40}}; }

  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<Conversation> chats_;
};

TEST_F(MixedChats, ArePackedApartAndEachAsOftenAsItsWeightSays) {
  const ChatSet chats = set();
  SftBatches batches(chats, {.rows = 3, .weights = mixed_weights()});
  std::map<std::string, int64_t> seen;
  while (batches.epochs() < 2) {
    const Batch batch = batches.next();
    expect_well_formed(batch, tokenizer_->vocab_size(), 40);
    for (size_t s = 0; s + 1 < batch.starts.size(); ++s) {
      std::vector<int32_t> learned;
      for (int32_t i = batch.starts[s]; i < batch.starts[s + 1]; ++i)
        if (batch.weights[static_cast<size_t>(i)] > 0)
          learned.push_back(batch.targets[static_cast<size_t>(i)]);
      if (!learned.empty()) ++seen[tokenizer_->decode(learned)];
    }
  }
  const std::string end = ChatTemplate().stop_tokens().front();
  EXPECT_EQ(seen.size(), 70u);
  for (int i = 0; i < 70; ++i)
    EXPECT_EQ(seen[concat("a", i, end)], i < 30 ? 2 : i < 50 ? 4 : 1) << i;
}

TEST_F(MixedChats, GoOnWhereTheyWereAndRefuseAnotherMixture) {
  const ChatSet chats = set();
  SftBatches batches(chats, {.rows = 3, .weights = mixed_weights()});
  for (int i = 0; i < 25; ++i) batches.next();
  SftBatches other(chats, {.rows = 3, .weights = mixed_weights()});
  other.restore(batches.state());
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(same(batches.next(), other.next())) << i;
  SftBatches plain(chats, {.rows = 3});
  EXPECT_TRUE(contains(error_of([&] { plain.restore(batches.state()); }), "\"weights\" was"));
}

TEST_F(MixedChats, OfPreferencesAreDrawnByTheirWeights) {
  std::vector<Preference> records;
  for (int i = 0; i < 20; ++i)
    records.push_back({.prompt = {{"user", concat("q", i)}},
                       .answers = {{{"assistant", "a"}}, {{"assistant", "b"}}},
                       .weight = i < 10 ? 1.0 : 3.0});
  const PreferenceSet set(records, *tokenizer_, ChatTemplate(), {.context = 40});
  PreferenceDraws draws(set, 1);
  std::map<int64_t, int64_t> counts;
  for (const int64_t each : draws.next(40)) ++counts[each];
  for (int64_t i = 0; i < 20; ++i) EXPECT_EQ(counts[i], i < 10 ? 1 : 3) << i;
}

class Marks : public testing::Test {
 protected:
  Marks() : tokenizer_(make_byte_tokenizer(default_special_tokens())) {}
  std::string learned(const std::string& loss_on) const {
    const ChatSet set({chat_}, *tokenizer_, ChatTemplate(), {.context = 99, .loss_on = loss_on});
    std::vector<int32_t> ids;
    for (size_t i = 0; i < set.at(0).ids.size(); ++i)
      if (set.at(0).trained[i]) ids.push_back(set.at(0).ids[i]);
    return tokenizer_->decode(ids);
  }
  std::unique_ptr<Tokenizer> tokenizer_;
  Conversation chat_ = {
      {"user", "one"}, {"assistant", "ONE"}, {"user", "two"}, {"assistant", "TWO"}};
};

TEST_F(Marks, AreAllAnswersTheLastOrAllTokens) {
  const std::string end = ChatTemplate().stop_tokens().front();
  EXPECT_EQ(learned("answers"), "ONE" + end + "TWO" + end);
  EXPECT_EQ(learned("last"), "TWO" + end);
  EXPECT_EQ(learned("all"), ChatTemplate().render_text(chat_, false));
  EXPECT_TRUE(contains(error_of([&] { learned("none"); }), "loss_on is \"none\""));
}

TEST_F(Marks, OfLongChatsEndWithAWholeAnswer) {
  const int64_t first = static_cast<int64_t>(
      encode_chat(*tokenizer_, ChatTemplate(), std::span(chat_).first(2), false).ids.size());
  for (int64_t context = 1; context < first + 9; ++context) {
    const ChatSetOptions options{.context = context, .too_long = "turns"};
    const auto make = [&] { return ChatSet({chat_}, *tokenizer_, ChatTemplate(), options); };
    if (context + 1 < first) {
      EXPECT_TRUE(contains(error_of([&] { make(); }), "use a longer context")) << context;
      continue;
    }
    const ChatSet set = make();
    const bool whole = set.truncated() == 0;
    EXPECT_EQ(static_cast<int64_t>(set.at(0).ids.size()), whole ? set.tokens() : first) << context;
    EXPECT_EQ(set.cut_answers(), 0);
  }
  const ChatSet cut({chat_}, *tokenizer_, ChatTemplate(), {.context = first - 3});
  EXPECT_EQ(cut.cut_answers(), 1);
  EXPECT_GT(cut.lost_tokens(), 0);
}

TEST(Templates, ThatLeaveMessagesOutAreFound) {
  const Conversation chat = {{"system", "be kind"}, {"user", "q"}, {"assistant", "a"}};
  EXPECT_FALSE(dropped_message(ChatTemplate(), chat));
  const auto without_system = ChatTemplate::from_jinja(
      "{% for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}\n{% endif %}"
      "{% endfor %}",
      "test");
  EXPECT_EQ(dropped_message(without_system, chat), 0);
  const auto last_only =
      ChatTemplate::from_jinja("{{ messages[0].content }}|{{ messages[-1].content }}", "test");
  EXPECT_EQ(dropped_message(last_only, chat), 1);
}

}  // namespace
}  // namespace malssi
