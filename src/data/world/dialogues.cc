#include "data/world/dialogues.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "data/world/names.h"

namespace malssi::world {
namespace {

using Patterns = std::vector<std::string_view>;

struct Exchange {
  Patterns messages;
  std::string_view reply;
};

struct Talk {
  Exchange greeting, thanks;
  std::vector<Exchange> about_itself;
  std::string_view unknown;          // to a question about a stranger
  std::string_view same_of_another;  // the same question about {x}
};

const Talk& talk(Language language) {
  static const Talk english = {
      .greeting = {{"Hello!", "Hi!", "Good morning!", "Hello there!"},
                   "Hello! What would you like to know?"},
      .thanks = {{"Thank you!", "Thanks!", "Thank you very much.", "Good, thanks."},
                 "You are welcome!"},
      .about_itself = {{{"Who are you?", "What are you?", "What is your name?"},
                        "I am Malssi, a small language model."},
                       {{"What do you know?", "What can you do?", "What can I ask you?"},
                        "I know the people, animals and villages of a small world."},
                       {{"Goodbye!", "Bye!", "See you!"}, "Goodbye!"},
                       {{"How are you?", "How do you do?"}, "I am well, thank you."}},
      .unknown = "I do not know that person.",
      .same_of_another = "And {x}?"};
  static const Talk korean = {
      .greeting = {{"안녕하세요!", "안녕!", "좋은 아침이에요!", "반가워요!"},
                   "안녕하세요! 무엇을 알고 싶어요?"},
      .thanks = {{"고마워요!", "고마워!", "감사합니다.", "알려 줘서 고마워요."}, "천만에요!"},
      .about_itself = {{{"누구세요?", "너는 누구야?", "이름이 뭐예요?"},
                        "저는 작은 언어 모델 말씨예요."},
                       {{"무엇을 알아요?", "무엇을 할 수 있어요?", "뭘 물어보면 돼요?"},
                        "작은 세계의 사람과 동물과 마을을 알아요."},
                       {{"잘 있어요!", "안녕히 계세요!", "잘 가!"}, "안녕히 가세요!"},
                       {{"잘 지내요?", "어떻게 지내요?"}, "잘 지내요. 고마워요."}},
      .unknown = "그 사람은 몰라요.",
      .same_of_another = "그럼 {x:는}요?"};
  return language == Language::english ? english : korean;
}

Message user(std::string text) { return {"user", std::move(text)}; }
Message assistant(std::string_view text) { return {"assistant", std::string(text)}; }

std::string ask(const World& world, const Fact& fact, Language language, Rng& rng) {
  return fill(rng.pick(phrases(fact.relation, language).questions), slots_of(world, fact),
              language);
}

bool has_follow_up(const Fact& fact) {
  return !phrases(fact.relation, Language::english).follow_up.empty();
}

// A random fact among those asked in training for which `fits` holds.
template <class Fits>
Fact pick_fact(const Split& split, Rng& rng, Fits fits) {
  while (true) {
    const Fact& fact = rng.pick(split.asked);
    if (has_follow_up(fact) && fits(fact)) return fact;
  }
}

}  // namespace

FollowUp make_follow_up(const World& world, const Split& split, Language language, Rng& rng) {
  const Fact first = pick_fact(split, rng, [](const Fact&) { return true; });
  const bool same_person = rng.chance(0.7);
  const Fact second = pick_fact(split, rng, [&](const Fact& fact) {
    const bool subject = fact.subject == first.subject, relation = fact.relation == first.relation;
    return same_person ? subject && !relation : relation && !subject;
  });
  const std::string_view pattern =
      same_person ? phrases(second.relation, language).follow_up : talk(language).same_of_another;
  return {.messages = {user(ask(world, first, language, rng)),
                       assistant(answer_of(world, first, language)),
                       user(fill(pattern, slots_of(world, second), language))},
          .asked = second};
}

Conversation make_dialogue(const World& world, const Split& split, Language language, Rng& rng) {
  const Talk& phrases_of_talk = talk(language);
  Conversation dialogue;
  if (rng.chance(0.3)) {
    dialogue.push_back(user(std::string(rng.pick(phrases_of_talk.greeting.messages))));
    dialogue.push_back(assistant(phrases_of_talk.greeting.reply));
  }
  FollowUp pair = make_follow_up(world, split, language, rng);
  std::move(pair.messages.begin(), pair.messages.end(), std::back_inserter(dialogue));
  dialogue.push_back(assistant(answer_of(world, pair.asked, language)));
  if (rng.chance(0.3)) {
    dialogue.push_back(user(std::string(rng.pick(phrases_of_talk.thanks.messages))));
    dialogue.push_back(assistant(phrases_of_talk.thanks.reply));
  }
  return dialogue;
}

std::vector<Conversation> small_talk(Language language) {
  const Talk& known = talk(language);
  std::vector<Exchange> exchanges = known.about_itself;
  exchanges.push_back(known.greeting);
  exchanges.push_back(known.thanks);
  std::vector<Conversation> chats;
  for (const Exchange& exchange : exchanges)
    for (const std::string_view message : exchange.messages)
      chats.push_back({user(std::string(message)), assistant(exchange.reply)});
  for (const Term& stranger : strangers()) {
    Slots slots;
    slots.set("x", stranger);
    for (const Relation relation : {Relation::home, Relation::job, Relation::food})
      chats.push_back({user(fill(phrases(relation, language).questions[0], slots, language)),
                       assistant(known.unknown)});
  }
  return chats;
}

}  // namespace malssi::world
