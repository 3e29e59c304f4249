#include "data/world/questions.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "data/world/dialogues.h"
#include "data/world/instructions.h"
#include "data/world/thoughts.h"

namespace malssi::world {
namespace {

constexpr std::array<std::string_view, 6> kChecks = {"exact", "list",    "sum",
                                                     "steps", "thought", "puzzle"};

// Blanks collapsed, ASCII letters small, no full stop or exclamation mark at the end.
std::string plain_form(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (blank && (plain.empty() || plain.back() == ' ')) continue;
    plain += blank ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  while (!plain.empty() && (plain.back() == ' ' || plain.back() == '.' || plain.back() == '!'))
    plain.pop_back();
  return plain;
}

// The items of a list by commas or lines, in plain form and sorted.
std::vector<std::string> items(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const size_t end = text.find_first_of(",\n");
    std::string item = plain_form(text.substr(0, end));
    if (item.starts_with("- ")) item.erase(0, 2);
    if (!item.empty()) found.push_back(std::move(item));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool names_just(const std::vector<std::string>& wanted, std::string_view reply) {
  std::vector<std::string> plain;
  for (const std::string& item : wanted) plain.push_back(plain_form(item));
  std::sort(plain.begin(), plain.end());
  return items(reply) == plain;
}

bool is_one_of(const std::vector<std::string>& answers, std::string_view reply) {
  const std::string plain = plain_form(reply);
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return plain_form(answer) == plain; });
}

bool is_sum(Check check) {
  return check == Check::sum || check == Check::steps || check == Check::thought;
}

Conversation one_message(std::string text) { return {{"user", std::move(text)}}; }

// Draws the questions of one world.
class Examiner {
 public:
  Examiner(const World& world, const Split& split, Rng& rng)
      : world_(world), split_(split), rng_(rng) {}

  void facts(int64_t count) {
    std::vector<Question> all;
    for (const Fact& fact : split_.asked)
      for (const Language language : kLanguages)
        for (const std::string_view pattern : phrases(fact.relation, language).held_out)
          all.push_back(about("facts", fact, language, pattern));
    keep(std::move(all), count);
  }
  void unasked_facts(int64_t count) {
    std::vector<Question> all;
    for (const Fact& fact : split_.unasked)
      for (const Language language : kLanguages)
        all.push_back(about("unasked facts", fact, language,
                            rng_.pick(phrases(fact.relation, language).questions)));
    keep(std::move(all), count);
  }
  void sums(int64_t count) {
    const int64_t most = std::min<int64_t>(count, std::ssize(split_.sums.held_out));
    for (const SumStyle style : {SumStyle::plain, SumStyle::steps}) {
      const bool plain = style == SumStyle::plain;
      for (int64_t i = 0; i < most; ++i) {
        const Sum& sum = split_.sums.held_out[static_cast<size_t>(i)];
        const Language language = kLanguages[static_cast<size_t>(i % 2)];
        questions_.push_back({.set = plain ? "additions" : "additions in steps",
                              .language = language,
                              .messages = one_message(ask_sum(sum, style, language, rng_)),
                              .check = plain ? Check::sum : Check::steps,
                              .answers = {concat(sum.total())},
                              .sum = sum});
      }
    }
  }
  void sentences(int64_t count) {
    std::vector<Question> translations, rewritings;
    for (const Fact& fact : split_.unworded) {
      for (const Language language : kLanguages) {
        translations.push_back(task("translations", language,
                                    translation(world_, fact, language, Wording::held_out, rng_)));
        if (auto made = rewriting(world_, fact, language, Wording::held_out, rng_))
          rewritings.push_back(task("rewritings", language, std::move(*made)));
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      const Language language = kLanguages[static_cast<size_t>(i % 2)];
      const Remark remark = make_remark(world_, rng_);
      translations.push_back(
          task("translations", language, translation(remark, language, Wording::held_out, rng_)));
      rewritings.push_back(
          task("rewritings", language, rewriting(remark, language, Wording::held_out, rng_)));
    }
    keep(std::move(translations), count);
    keep(std::move(rewritings), count);
  }
  void descriptions(int64_t count) {
    std::vector<Question> descriptions, lists;
    for (const Language language : kLanguages) {
      for (int64_t person = 0; person < std::ssize(world_.people); ++person)
        descriptions.push_back(
            task("descriptions", language,
                 description(world_, person, language, Wording::held_out, rng_)));
      for (const Group& group : groups(world_)) {
        Question question =
            task("lists", language, listing(group, language, Wording::held_out, rng_));
        question.check = Check::list;
        question.answers.clear();
        for (const Term& member : group.members) question.answers.push_back(member.in(language));
        lists.push_back(std::move(question));
      }
    }
    keep(std::move(descriptions), count);
    keep(std::move(lists), count);
  }
  void stories(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const Language language = kLanguages[static_cast<size_t>(i % 2)];
      const Story story = make_story(world_, language, rng_);
      questions_.push_back(
          task("summaries", language, summary(story, language, Wording::held_out, rng_)));
    }
  }
  void follow_ups(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const Language language = kLanguages[static_cast<size_t>(i % 2)];
      FollowUp made = make_follow_up(world_, split_, language, rng_);
      questions_.push_back({.set = "follow-ups",
                            .language = language,
                            .messages = std::move(made.messages),
                            .answers = right_answers(world_, made.asked, language)});
    }
  }
  std::vector<Question> take() { return std::move(questions_); }

 private:
  Question about(std::string_view set, const Fact& fact, Language language,
                 std::string_view pattern) const {
    return {.set = std::string(set),
            .language = language,
            .messages = one_message(fill(pattern, slots_of(world_, fact), language)),
            .answers = right_answers(world_, fact, language)};
  }
  static Question task(std::string_view set, Language language, Task made) {
    return {.set = std::string(set),
            .language = language,
            .messages = one_message(std::move(made.message)),
            .answers = {std::move(made.reply)}};
  }
  void keep(std::vector<Question> all, int64_t count) {
    rng_.shuffle(std::span<Question>(all));
    if (std::ssize(all) > count) all.resize(static_cast<size_t>(count));
    std::move(all.begin(), all.end(), std::back_inserter(questions_));
  }

  const World& world_;
  const Split& split_;
  Rng& rng_;
  std::vector<Question> questions_;
};

}  // namespace

bool is_right(const Question& question, std::string_view reply) {
  switch (question.check) {
    case Check::sum:
      return sum_is_right(question.sum, reply);
    case Check::steps:
      return steps_are_right(question.sum, reply);
    case Check::thought:
      return thought_is_right(question.sum, reply);
    case Check::list:
      return names_just(question.answers, reply);
    case Check::puzzle: {
      const auto said = said_after_thought(reply);
      return said && is_one_of(question.answers, *said);
    }
    case Check::exact:
      break;
  }
  return is_one_of(question.answers, reply);
}

std::vector<Question> make_questions(const World& world, const Split& split,
                                     const QuestionCounts& counts, Rng& rng) {
  Examiner examiner(world, split, rng);
  examiner.facts(counts.facts);
  examiner.sums(counts.sums);
  examiner.unasked_facts(counts.others);
  examiner.sentences(counts.others);
  examiner.descriptions(counts.others);
  examiner.stories(counts.others);
  examiner.follow_ups(counts.others);
  return examiner.take();
}

Json to_json(const Question& question) {
  Json messages = Json::array();
  for (const Message& message : question.messages)
    messages.push_back({{"role", message.role}, {"content", message.content}});
  Json json = {{"set", question.set},
               {"language", language_code(question.language)},
               {"check", kChecks[static_cast<size_t>(question.check)]},
               {"messages", std::move(messages)},
               {"answers", question.answers}};
  if (is_sum(question.check)) json["addends"] = {question.sum.a, question.sum.b};
  return json;
}

Question question_from_json(const Json& json, std::string_view where) {
  Question question;
  question.set = get<std::string>(json, "set", where);
  const std::string language = get<std::string>(json, "language", where);
  const std::string check = get<std::string>(json, "check", where);
  REQUIRE(language == "en" || language == "ko", where, ": language \"", language,
          "\" is neither \"en\" nor \"ko\"");
  question.language = language == "en" ? Language::english : Language::korean;
  const auto known = std::find(kChecks.begin(), kChecks.end(), check);
  REQUIRE(known != kChecks.end(), where, ": unknown check \"", check, "\"");
  question.check = static_cast<Check>(known - kChecks.begin());
  for (const Json& message : get<std::vector<Json>>(json, "messages", where))
    question.messages.push_back(
        {get<std::string>(message, "role", where), get<std::string>(message, "content", where)});
  REQUIRE(!question.messages.empty(), where, ": no messages");
  question.answers = get<std::vector<std::string>>(json, "answers", where);
  if (is_sum(question.check)) {
    const auto addends = get<std::vector<int64_t>>(json, "addends", where);
    REQUIRE(addends.size() == 2, where, ": expected two addends, found ", addends.size());
    question.sum = {addends[0], addends[1]};
  }
  return question;
}

}  // namespace malssi::world
