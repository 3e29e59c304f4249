// Training and evaluation sets: what leaks, what repeats, what the checker accepts.
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "data/world/dialogues.h"
#include "data/world/instructions.h"
#include "data/world/stories.h"
#include "data/world/write.h"

namespace malssi::world {
namespace {

WriteOptions small(uint64_t seed = 3) {
  WriteOptions options;
  options.world = {.seed = seed, .people = 9, .places = 4};
  options.documents = 600;
  options.validation_documents = 50;
  options.chats = {.wordings = 20,
                   .sums = 400,
                   .translations = 2,
                   .descriptions = 2,
                   .summaries = 60,
                   .dialogues = 200,
                   .small_talk = 1};
  options.questions = {.facts = 300, .sums = 100, .others = 40};
  return options;
}

const WorldData& data() {
  static const WorldData made = make_world_data(small());
  return made;
}

std::string joined(const Conversation& chat) {
  std::string text;
  for (const Message& message : chat) text += message.role + ": " + message.content + "\n";
  return text;
}

const std::string& last_message(const Question& question) {
  return question.messages.back().content;
}

TEST(WorldData, IsDecidedByItsSeed) {
  const WorldData again = make_world_data(small());
  EXPECT_EQ(data().documents, again.documents);
  EXPECT_EQ(data().validation, again.validation);
  ASSERT_EQ(data().chats.size(), again.chats.size());
  for (size_t i = 0; i < again.chats.size(); ++i)
    EXPECT_EQ(joined(data().chats[i]), joined(again.chats[i]));
  ASSERT_EQ(data().questions.size(), again.questions.size());
  for (size_t i = 0; i < again.questions.size(); ++i)
    EXPECT_EQ(to_json(data().questions[i]), to_json(again.questions[i]));
  EXPECT_NE(data().documents, make_world_data(small(4)).documents);
}

// A text in which everything but letters and digits is one blank, so that no comma hides a leak.
std::string bare(std::string_view text) {
  std::string out = " ";
  for (const char c : text) {
    const bool blank = std::string_view(" \n\t.,!?:").find(c) != std::string_view::npos;
    if (!blank || out.back() != ' ') out += blank ? ' ' : c;
  }
  return out.back() == ' ' ? out : out + ' ';
}

TEST(WorldData, NeverTrainsOnAnEvaluationMessage) {
  std::set<std::string> trained;
  for (const Conversation& chat : data().chats)
    for (const Message& message : chat)
      if (message.role == "user") trained.insert(message.content);
  for (const Question& question : data().questions) {
    if (question.set == "unasked facts" || question.set == "follow-ups") continue;
    EXPECT_FALSE(trained.contains(last_message(question))) << last_message(question);
  }
}

TEST(WorldData, NeverTrainsOnAHeldOutWordingEvenInsideAnotherText) {
  std::string all;
  for (const Conversation& chat : data().chats)
    for (const Message& message : chat) all += bare(message.content) + "\n";
  for (const std::string& document : data().documents) all += bare(document) + "\n";
  int64_t asked = 0;
  for (const Question& question : data().questions) {
    if (question.set != "facts") continue;
    ++asked;
    EXPECT_EQ(all.find(bare(last_message(question))), std::string::npos) << last_message(question);
  }
  EXPECT_EQ(asked, 300);
}

TEST(WorldData, NeverTrainsOnAHeldOutAddition) {
  std::string all;
  for (const Conversation& chat : data().chats) all += joined(chat);
  for (const std::string& document : data().documents) all += document + "\n";
  for (const Sum& sum : data().split.sums.held_out) {
    EXPECT_EQ(all.find(concat(sum.a, " + ", sum.b)), std::string::npos) << sum.a << " " << sum.b;
    EXPECT_EQ(all.find(concat("Add ", sum.a, " and ", sum.b)), std::string::npos);
    for (const std::string_view joint : {"에 ", " 더하기 "})
      EXPECT_EQ(all.find(concat(" ", sum.a, joint, sum.b)), std::string::npos);
  }
}

TEST(WorldData, NeverAsksInTrainingForUnaskedFacts) {
  ASSERT_FALSE(data().split.unasked.empty());
  std::set<std::string> replies;
  for (const Conversation& chat : data().chats)
    for (const Message& message : chat) replies.insert(message.content);
  for (const Fact& fact : data().split.unasked)
    for (const Language language : kLanguages)
      EXPECT_FALSE(replies.contains(answer_of(data().world, fact, language)));
}

TEST(WorldData, NeverTranslatesInTrainingWhatEvaluationTranslates) {
  std::string messages;
  for (const Conversation& chat : data().chats) messages += chat.front().content + "\n";
  for (const Fact& fact : data().split.unworded) {
    const std::string sentence = answer_of(data().world, fact, Language::english);
    for (const std::string_view before : {"into Korean: ", "in Korean: ", "in Korean? "})
      EXPECT_EQ(messages.find(concat(before, sentence)), std::string::npos) << sentence;
  }
}

TEST(WorldData, HasEverySetInBothLanguages) {
  std::set<std::pair<std::string, Language>> sets;
  for (const Question& question : data().questions) sets.insert({question.set, question.language});
  for (const char* set :
       {"facts", "unasked facts", "additions", "additions in steps", "translations", "rewritings",
        "descriptions", "lists", "summaries", "follow-ups"})
    for (const Language language : kLanguages)
      EXPECT_TRUE(sets.contains({set, language})) << set << " " << language_code(language);
}

TEST(WorldData, AsksTheSameAdditionsPlainlyAndInSteps) {
  std::vector<Sum> plain, steps;
  for (const Question& question : data().questions) {
    if (question.check == Check::sum) plain.push_back(question.sum);
    if (question.check == Check::steps) steps.push_back(question.sum);
  }
  EXPECT_EQ(plain.size(), 100u);
  EXPECT_EQ(plain, steps);
}

TEST(WorldData, SaysNothingFalseInDocuments) {
  // A sentence made from one person's slots and another's name would be false; none may appear.
  const World& world = data().world;
  std::string all;
  for (const std::string& document : data().documents) all += document + "\n";
  for (const Person& a : world.people) {
    for (const Person& b : world.people) {
      if (&a == &b) continue;
      EXPECT_EQ(all.find(concat(a.name.en, " is a ", b.slots.get("job").en, ".")),
                std::string::npos);
      EXPECT_EQ(all.find(concat(b.slots.get("pet").en, " is ", a.name.en, "'s")),
                std::string::npos);
    }
  }
}

TEST(Chats, TakeTurnsAndEndWithTheAssistant) {
  for (const Conversation& chat : data().chats) {
    ASSERT_EQ(chat.size() % 2, 0u);
    for (size_t i = 0; i < chat.size(); ++i) {
      EXPECT_EQ(chat[i].role, i % 2 == 0 ? "user" : "assistant");
      EXPECT_FALSE(chat[i].content.empty());
    }
  }
}

TEST(Checker, AcceptsEveryListedAnswerAndRefusesOthers) {
  for (const Question& question : data().questions) {
    if (question.check != Check::exact) continue;
    for (const std::string& answer : question.answers) {
      EXPECT_TRUE(is_right(question, answer)) << answer;
      EXPECT_TRUE(is_right(question, " " + answer + "\n")) << answer;
      EXPECT_FALSE(is_right(question, answer + " And more.")) << answer;
      EXPECT_FALSE(is_right(question, "No " + answer)) << answer;
    }
    EXPECT_FALSE(is_right(question, ""));
    EXPECT_FALSE(is_right(question, last_message(question)));
  }
}

TEST(Checker, RefusesTheAnswersOfOtherSubjects) {
  const World& world = data().world;
  for (const Fact& fact : facts(world)) {
    const Question question{.language = Language::english,
                            .answers = right_answers(world, fact, Language::english)};
    for (const Fact& other : facts(world)) {
      if (other.relation != fact.relation || other.subject == fact.subject) continue;
      EXPECT_FALSE(is_right(question, answer_of(world, other, Language::english)));
    }
  }
}

TEST(Checker, TakesListsInAnyOrderAndAsLines) {
  const Question question{.check = Check::list, .answers = {"Mina", "Junho", "Sora"}};
  EXPECT_TRUE(is_right(question, "Mina, Junho, Sora"));
  EXPECT_TRUE(is_right(question, "Sora, Mina, Junho."));
  EXPECT_TRUE(is_right(question, "- Junho\n- Mina\n- Sora"));
  EXPECT_FALSE(is_right(question, "Mina, Junho"));
  EXPECT_FALSE(is_right(question, "Mina, Junho, Sora, Taeo"));
  EXPECT_FALSE(is_right(question, "Mina, Mina, Junho, Sora"));
  EXPECT_FALSE(is_right(question, ""));
}

TEST(Questions, SurviveJson) {
  for (const Question& question : data().questions) {
    const Question copy = question_from_json(to_json(question), "test");
    EXPECT_EQ(to_json(copy), to_json(question));
    EXPECT_EQ(copy.sum, question.sum);
  }
}

TEST(Questions, RefuseMalformedJson) {
  const Json good = to_json(data().questions.front());
  for (const char* key : {"set", "language", "check", "messages", "answers"}) {
    Json bad = good;
    bad.erase(key);
    EXPECT_THROW(question_from_json(bad, "test"), Error) << key;
    bad[key] = 7;
    EXPECT_THROW(question_from_json(bad, "test"), Error) << key;
  }
  Json bad = good;
  bad["language"] = "fr";
  EXPECT_THROW(question_from_json(bad, "test"), Error);
  bad = good;
  bad["check"] = "guess";
  EXPECT_THROW(question_from_json(bad, "test"), Error);
  bad = good;
  bad["messages"] = Json::array();
  EXPECT_THROW(question_from_json(bad, "test"), Error);
  bad = good;
  bad["check"] = "sum";
  bad["addends"] = {1};
  EXPECT_THROW(question_from_json(bad, "test"), Error);
}

TEST(Dialogues, AnswerTheirFollowUpsTruly) {
  Rng rng(9);
  for (int i = 0; i < 100; ++i) {
    const FollowUp made = make_follow_up(data().world, data().split, Language::korean, rng);
    ASSERT_EQ(made.messages.size(), 3u);
    EXPECT_EQ(made.messages.back().role, "user");
  }
}

TEST(Groups, AreComplete) {
  const World& world = data().world;
  size_t at_home = 0;
  for (const Group& group : groups(world)) {
    EXPECT_FALSE(group.members.empty());
    if (group.relation == Relation::home) at_home += group.members.size();
  }
  EXPECT_EQ(at_home, world.people.size());
}

TEST(Stories, HoldTheirSummary) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    const Story story = make_story(data().world, Language::english, rng);
    const size_t found = story.summary.find(" found ");
    ASSERT_NE(found, std::string::npos);
    EXPECT_NE(story.text.find(story.summary.substr(0, found)), std::string::npos);
  }
}

TEST(WriteWorld, WritesFilesThatReadBack) {
  const fs::path folder = fs::path(testing::TempDir()) / "malssi_world_test";
  fs::remove_all(folder);
  write_world(folder, data());
  verify_folder(folder);
  const std::vector<Question> questions = load_questions(folder / "eval.jsonl");
  ASSERT_EQ(questions.size(), data().questions.size());
  EXPECT_EQ(to_json(questions.back()), to_json(data().questions.back()));
  for (const char* name : {"pretrain.jsonl", "validation.jsonl", "sft.jsonl"}) {
    const std::string text = read_file(folder / name);
    const std::string first = text.substr(0, text.find('\n'));
    EXPECT_TRUE(parse_json(first, name).is_object());
  }
  const Json world = load_json(folder / "world.json");
  EXPECT_EQ(world.at("facts").size(), facts(data().world).size());
  EXPECT_THROW(load_questions(folder / "missing.jsonl"), Error);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace malssi::world
