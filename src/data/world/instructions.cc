#include "data/world/instructions.h"

#include <algorithm>

#include "base/error.h"

namespace malssi::world {
namespace {

using Patterns = std::vector<std::string_view>;

// The wordings of one instruction in one language.
struct Wordings {
  Patterns trained, held_out;
  std::string_view pick(Wording wording, Rng& rng) const {
    return rng.pick(wording == Wording::trained ? trained : held_out);
  }
};

const Wordings& translation_wordings(Language from) {
  static const Wordings english = {
      {"Translate into Korean: {text}", "Say this in Korean: {text}", "Put into Korean: {text}",
       "How do you say this in Korean? {text}"},
      {"Translate this into Korean: {text}", "Please say this in Korean: {text}"}};
  static const Wordings korean = {
      {"영어로 옮겨 주세요: {text}", "영어로 말해 주세요: {text}",
       "다음을 영어로 번역해 주세요: {text}", "이 말은 영어로 뭐예요? {text}"},
      {"영어로 번역해 주세요: {text}", "다음을 영어로 옮겨 주세요: {text}"}};
  return from == Language::english ? english : korean;
}

const Wordings& rewriting_wordings(Language language) {
  static const Wordings english = {
      {"Rewrite with {she}: {text}", "Use {she} instead of the name: {text}",
       "Say this with {she}: {text}"},
      {"Rewrite this with {she}: {text}", "Say it with {she} instead of the name: {text}"}};
  static const Wordings korean = {
      {"공손하게 고쳐 주세요: {text}", "다음을 공손하게 바꿔 주세요: {text}",
       "공손한 말로 고쳐 주세요: {text}"},
      {"공손하게 바꿔 주세요: {text}", "다음을 공손한 말로 고쳐 주세요: {text}"}};
  return language == Language::english ? english : korean;
}

const Wordings& description_wordings(Language language) {
  static const Wordings english = {
      {"Tell me about {x}.", "Who is {x}?", "Describe {x}.", "What do you know about {x}?"},
      {"Do you know {x}?", "Please describe {x}."}};
  static const Wordings korean = {{"{x}에 대해 말해 주세요.", "{x:는} 누구예요?",
                                   "{x:를} 소개해 주세요.", "{x}에 대해 무엇을 알아요?"},
                                  {"{x:는} 누구인가요?", "{x}에 대해 알려 주세요."}};
  return language == Language::english ? english : korean;
}

const Wordings& summary_wordings(Language language) {
  static const Wordings english = {
      {"Sum up in one sentence: {text}", "What happens in this story? {text}", "Summarise: {text}",
       "{text} Sum this up in one sentence."},
      {"Summarise this story: {text}", "Sum up this story in one sentence: {text}"}};
  static const Wordings korean = {
      {"한 문장으로 줄여 주세요: {text}", "이 이야기에서 무슨 일이 있었어요? {text}",
       "다음을 요약해 주세요: {text}", "{text} 이 이야기를 한 문장으로 줄여 주세요."},
      {"이 이야기를 요약해 주세요: {text}", "다음을 한 문장으로 줄여 주세요: {text}"}};
  return language == Language::english ? english : korean;
}

// What the members of a group have in common, "{what}" of the wordings below.
std::string_view in_common(Relation relation, Language language) {
  const bool english = language == Language::english;
  switch (relation) {
    case Relation::home:
      return english ? "live in {value}" : "{value}에 사는";
    case Relation::species:
      return english ? "have {value:a}" : "{value:를} 키우는";
    default:
      break;
  }
  throw InternalError("world: no list goes with this relation");
}

const Wordings& listing_wordings(Language language) {
  static const Wordings english = {{"List the people who {what}.", "Name all who {what}.",
                                    "Which people {what}?", "Make a list of those who {what}."},
                                   {"Name the people who {what}.", "List all who {what}."}};
  static const Wordings korean = {
      {"{what} 사람을 모두 말해 주세요.", "{what} 사람들을 나열해 주세요.",
       "{what} 사람들은 누구예요?", "{what} 사람들의 이름을 모두 알려 주세요."},
      {"{what} 사람을 모두 알려 주세요.", "{what} 사람들의 이름을 나열해 주세요."}};
  return language == Language::english ? english : korean;
}

Term in_both(std::string text) { return {text, text}; }

Task translated(const Term& sentence, Language from, Wording wording, Rng& rng) {
  const Language to = from == Language::english ? Language::korean : Language::english;
  Slots slots;
  slots.set("text", in_both(sentence.in(from)));
  return {fill(translation_wordings(from).pick(wording, rng), slots, from), sentence.in(to)};
}
}  // namespace

Task translation(const World& world, const Fact& fact, Language from, Wording wording, Rng& rng) {
  const Term sentence = {answer_of(world, fact, Language::english),
                         answer_of(world, fact, Language::korean)};
  return translated(sentence, from, wording, rng);
}

Task translation(const Remark& remark, Language from, Wording wording, Rng& rng) {
  return translated(remark.sentence, from, wording, rng);
}
std::optional<Task> rewriting(const World& world, const Fact& fact, Language language,
                              Wording wording, Rng& rng) {
  const auto& [before, after] = phrases(fact.relation, language).rewrite;
  if (before.empty()) return std::nullopt;
  Slots slots = slots_of(world, fact);
  slots.set("text", in_both(fill(before, slots, language)));
  return Task{fill(rewriting_wordings(language).pick(wording, rng), slots, language),
              fill(after, slots, language)};
}

Task rewriting(const Remark& remark, Language language, Wording wording, Rng& rng) {
  const bool english = language == Language::english;
  Slots slots;
  slots.set("she", remark.pronoun);
  slots.set("text", in_both(english ? remark.sentence.en : remark.reworded.ko));
  return {fill(rewriting_wordings(language).pick(wording, rng), slots, language),
          english ? remark.reworded.en : remark.sentence.ko};
}

Task description(const World& world, int64_t person, Language language, Wording wording, Rng& rng) {
  const Slots& slots = world.people.at(static_cast<size_t>(person)).slots;
  const std::string_view reply =
      language == Language::english
          ? "{x} is {job:a} and lives in {home}. {she:Cap} has {species:a} called {pet}."
          : "{x:는} {home}에 사는 {job:예요}. {species} {pet:를} 키워요.";
  return {fill(description_wordings(language).pick(wording, rng), slots, language),
          fill(reply, slots, language)};
}

Task summary(const Story& story, Language language, Wording wording, Rng& rng) {
  Slots slots;
  slots.set("text", in_both(story.text));
  return {fill(summary_wordings(language).pick(wording, rng), slots, language), story.summary};
}

std::vector<Group> groups(const World& world) {
  struct Kind {
    Relation relation;
    std::string_view slot;
  };
  std::vector<Group> all;
  for (const Kind& kind : {Kind{Relation::home, "home"}, Kind{Relation::species, "species"}}) {
    for (const Person& person : world.people) {
      const Term& value = person.slots.get(kind.slot);
      auto group = std::find_if(all.begin(), all.end(), [&](const Group& known) {
        return known.relation == kind.relation && known.value == value;
      });
      if (group == all.end()) group = all.insert(all.end(), {kind.relation, value, {}});
      group->members.push_back(person.name);
    }
  }
  return all;
}

Task listing(const Group& group, Language language, Wording wording, Rng& rng) {
  Slots slots;
  slots.set("value", group.value);
  slots.set("what", in_both(fill(in_common(group.relation, language), slots, language)));
  std::string names;
  for (const Term& member : group.members)
    names += concat(names.empty() ? "" : ", ", member.in(language));
  return {fill(listing_wordings(language).pick(wording, rng), slots, language), names};
}

}  // namespace malssi::world
