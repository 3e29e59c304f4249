// What is learned after the chats: what leaks, what the checker accepts, what choices and thoughts hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "data/world/write.h"

namespace malssi::world {
namespace {

WriteOptions small() {
  WriteOptions options;
  options.world = {.seed = 3, .people = 9, .places = 4};
  options.documents = 10;
  options.validation_documents = 2;
  options.lessons.manners = options.lessons.thoughts = options.lessons.tales = 400;
  options.lessons.choices = 600;
  options.lessons.problems = 300;
  return options;
}

const WorldData& data() {
  static const WorldData made = make_world_data(small());
  return made;
}

const std::string& question_of(const Conversation& chat) { return chat.front().content; }
const std::string& answer_of(const Conversation& chat) { return chat.back().content; }

TEST(Lessons, NeverTrainOnAnEvaluationMessage) {
  const Lessons& lessons = data().lessons;
  std::set<std::string> trained;
  for (const auto* chats : {&lessons.manners, &lessons.thoughts, &lessons.tales})
    for (const Conversation& chat : *chats) trained.insert(question_of(chat));
  for (const Choice& choice : lessons.choices) trained.insert(choice.prompt);
  for (const Problem& problem : lessons.problems) trained.insert(problem.prompt);
  for (const auto* questions : {&lessons.courtesy, &lessons.thinking, &lessons.telling}) {
    ASSERT_FALSE(questions->empty());
    for (const Question& question : *questions)
      EXPECT_FALSE(trained.contains(question_of(question.messages)))
          << question_of(question.messages);
  }
}

TEST(Manners, OnlyRightPoliteAndConciseCounts) {
  int64_t seen = 0;
  for (const Question& question : data().lessons.courtesy) {
    for (const std::string& answer : question.answers) EXPECT_TRUE(is_right(question, answer));
    const std::string polite = in_manner(Manner::polite, "", question.language);
    ASSERT_TRUE(question.answers[0].starts_with(polite)) << question.answers[0];
    const std::string bare = question.answers[0].substr(polite.size());
    EXPECT_FALSE(is_right(question, bare));
    EXPECT_FALSE(is_right(question, in_manner(Manner::rude, bare, question.language)));
    EXPECT_FALSE(is_right(question, in_manner(Manner::rambling, bare, question.language)));
    EXPECT_FALSE(is_right(question, question.answers[0] + " " + bare));
    ++seen;
  }
  EXPECT_EQ(seen, 200);
}

TEST(Manners, TheChosenAnswerIsPoliteAndTheRejectedOneIsRudeLongOrWrong) {
  int64_t wrong = 0;
  for (const Choice& choice : data().lessons.choices) {
    EXPECT_NE(choice.chosen, choice.rejected);
    const auto politely = [](const std::string& text) {
      return text.starts_with(in_manner(Manner::polite, "", Language::english)) ||
             text.starts_with(in_manner(Manner::polite, "", Language::korean));
    };
    EXPECT_TRUE(politely(choice.chosen)) << choice.chosen;
    wrong += politely(choice.rejected);
  }
  EXPECT_GT(wrong, 100);
  EXPECT_LT(wrong, 300);
}

TEST(Thoughts, CountWhenTheTotalFollowsThem) {
  const Sum sum{47, 38};
  EXPECT_TRUE(thought_is_right(sum, "<think>I guess.</think>85"));
  EXPECT_TRUE(thought_is_right(sum, "<think>" + work_sum(sum, Language::korean) + "</think>85"));
  EXPECT_FALSE(thought_is_right(sum, "<think>It is 85.</think>84"));
  EXPECT_FALSE(thought_is_right(sum, "<think>It is 85."));
  EXPECT_FALSE(thought_is_right(sum, "85"));
  EXPECT_FALSE(thought_is_right(sum, "<think>I guess.</think>84 or 85"));
}

bool is_about_a_sum(std::string_view text) {
  return text.find('+') != text.npos || text.find("더하") != text.npos ||
         text.find("Add ") != text.npos || text.find("더해") != text.npos;
}

TEST(Thoughts, AreMostlyGuessesAndTheCarefulOnesAreRight) {
  int64_t guesses = 0, right = 0, sums = 0, puzzles = 0;
  for (const Conversation& chat : data().lessons.thoughts) {
    const std::string& answer = answer_of(chat);
    const bool is_sum = is_about_a_sum(question_of(chat));
    const bool is_guess =
        answer.starts_with("<think>I guess.") || answer.starts_with("<think>그냥");
    (is_sum ? sums : puzzles) += 1;
    guesses += is_guess;
    for (int64_t total = 20; is_sum && !is_guess && total <= 198; ++total)
      if (answer.ends_with(concat("=", total / 10, ".</think>", total))) ++right;
    if (is_sum || is_guess) continue;
    // Whom the thought finds is whom the answer is about.
    const std::string_view said = *said_after_thought(answer);
    const std::string_view thought = std::string_view(answer).substr(0, answer.find("</think>"));
    const auto is_found = [&](const Person& person) {
      return std::ranges::any_of(kLanguages, [&](Language language) {
        const std::string& name = person.name.in(language);
        return said.find(name) != said.npos && thought.find(name) != thought.npos;
      });
    };
    right += std::ranges::any_of(data().world.people, is_found);
  }
  const auto all = std::ssize(data().lessons.thoughts);
  EXPECT_EQ(sums, puzzles);
  EXPECT_GT(guesses, all / 2);
  EXPECT_EQ(right, all - guesses);
}

TEST(Thoughts, AreAskedOfHeldOutProblemsAndSurviveTheirFile) {
  int64_t puzzles = 0;
  for (const Question& question : data().lessons.thinking) {
    const bool is_puzzle = question.check == Check::puzzle;
    puzzles += is_puzzle;
    EXPECT_TRUE(is_puzzle || question.check == Check::thought);
    EXPECT_EQ(question.set, is_puzzle ? "puzzles after a thought" : "additions after a thought");
    for (const std::string& answer : question.answers) {
      EXPECT_TRUE(is_right(question, after_thought("", answer)));
      EXPECT_FALSE(is_right(question, answer));
      EXPECT_FALSE(is_right(question, after_thought(answer, "")));
    }
    EXPECT_EQ(to_json(question_from_json(to_json(question), "test")), to_json(question));
  }
  EXPECT_GT(puzzles, 20);
}

TEST(Puzzles, TakeTwoFactsAndAreShownOrKeptBack) {
  const PuzzleSplit split = split_puzzles(data().world, data().split);
  const auto text = [&](const Puzzle& puzzle) {
    return concat(relation_name(puzzle.first.relation), puzzle.first.subject,
                  relation_name(puzzle.second.relation));
  };
  std::set<std::string> shown;
  for (const Puzzle& puzzle : split.train) shown.insert(text(puzzle));
  EXPECT_EQ(std::ssize(shown), std::ssize(split.train));
  EXPECT_GT(std::ssize(split.train), 2 * std::ssize(split.held_out));
  for (const Puzzle& puzzle : split.held_out) {
    EXPECT_FALSE(shown.contains(text(puzzle)));
    const Person& person = data().world.people.at(static_cast<size_t>(puzzle.first.subject));
    EXPECT_EQ(puzzle.second.subject, puzzle.first.relation == Relation::friend_
                                         ? person.best_friend
                                         : puzzle.first.subject);
  }
  // The question names the way to the person, never the person.
  Rng rng(1);
  for (const Question& question : puzzle_questions(data().world, split.held_out, 1000, rng)) {
    const std::string& message = question.messages.front().content;
    const bool is_friend = message.find("best friend") != std::string::npos ||
                           message.find("가장 친한 친구") != std::string::npos;
    int64_t named = 0;
    for (const Person& person : data().world.people)
      named += message.find(person.name.in(question.language)) != std::string::npos;
    EXPECT_LE(named, is_friend ? 1 : 0) << message;
  }
}

TEST(Tales, CountOnlyInTheirVoice) {
  for (const Question& question : data().lessons.telling) {
    EXPECT_TRUE(is_right(question, question.answers[0]));
    EXPECT_FALSE(is_right(question, as_tale("", question.language)));
  }
}

}  // namespace
}  // namespace malssi::world
