#include "data/world/stories.h"

#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/world/names.h"

namespace malssi::world {
namespace {

using Variants = std::vector<std::string_view>;

struct Parts {
  std::vector<Variants> sentences;  // one of each, in order
  std::string_view summary;
};

const Parts& english() {
  static const Parts parts = {
      .sentences = {{"{time:Cap} {x} went out with {her} {species} {pet}.",
                     "{time:Cap} {x} and {her} {species} {pet} took a walk by {nature}.",
                     "{time:Cap} the {job} {x} left {home} with {pet}."},
                    {"{pet} ran ahead with {toy:a}.", "{x} carried the {colour} {thing}.",
                     "{friend} came along too.", "{she:Cap} thought of {hobby} and sang."},
                    {"{spot:Cap} {pet} found {find}.", "Then {pet} found {find} {spot}.",
                     "{pet} stopped and found {find} {spot}."},
                    {"{x} was glad and took it home.", "They showed it to {friend}.",
                     "Then they went home to eat {food}.", "Nobody in {home} knew whose it was."}},
      .summary = "{pet} found {find} {spot}."};
  return parts;
}

const Parts& korean() {
  static const Parts parts = {
      .sentences = {{"{time}에 {x:는} {species} {pet:와} 함께 나갔어요.",
                     "{time}에 {x:와} {species} {pet:는} {nature} 옆을 걸었어요.",
                     "{time}에 {job} {x:는} {pet:와} 함께 {home:를} 나섰어요."},
                    {"{pet:는} {toy:를} 물고 앞서 갔어요.",
                     "{x:는} {colour} {thing:를} 들고 갔어요.", "{friend}도 함께 갔어요.",
                     "{x:는} {hobby:를} 생각하며 노래했어요."},
                    {"{pet:가} {spot}에서 {find:를} 찾았어요.",
                     "그때 {spot}에서 {pet:가} {find:를} 찾았어요.",
                     "{pet:는} 멈추더니 {spot}에서 {find:를} 찾았어요."},
                    {"{x:는} 기뻐하며 집으로 가져갔어요.",
                     "둘은 그것을 {friend}에게 보여 주었어요.",
                     "둘은 집에 돌아와 {food:를} 먹었어요.",
                     "{home} 사람들은 그것이 누구의 것인지 몰랐어요."}},
      .summary = "{pet:가} {spot}에서 {find:를} 찾았어요."};
  return parts;
}

struct RemarkPatterns {
  std::string_view english, with_pronoun, korean, plain;
};
constexpr RemarkPatterns kRemarks[] = {
    {"{x} found {find} {spot}.", "{she:Cap} found {find} {spot}.",
     "{x:는} {spot}에서 {find:를} 찾았어요.", "{x:는} {spot}에서 {find:를} 찾았다."},
    {"{x} lost {find} {spot}.", "{she:Cap} lost {find} {spot}.",
     "{x:는} {spot}에서 {find:를} 잃어버렸어요.", "{x:는} {spot}에서 {find:를} 잃어버렸다."},
    {"{x} gave {y} {find}.", "{she:Cap} gave {y} {find}.", "{x:는} {y}에게 {find:를} 주었어요.",
     "{x:는} {y}에게 {find:를} 주었다."},
    {"{x} met {y} {spot}.", "{she:Cap} met {y} {spot}.", "{x:는} {spot}에서 {y:를} 만났어요.",
     "{x:는} {spot}에서 {y:를} 만났다."},
};

}  // namespace

Remark make_remark(const World& world, Rng& rng) {
  const int64_t people = std::ssize(world.people);
  const int64_t one = rng.below(people), other = (one + 1 + rng.below(people - 1)) % people;
  Slots slots = world.people[static_cast<size_t>(one)].slots;
  slots.set("y", world.people[static_cast<size_t>(other)].name);
  slots.set("spot", rng.pick(spots()));
  slots.set("find", rng.pick(finds()));
  const RemarkPatterns& patterns = rng.pick(std::span(kRemarks));
  return {.sentence = {fill(patterns.english, slots, Language::english),
                       fill(patterns.korean, slots, Language::korean)},
          .reworded = {fill(patterns.with_pronoun, slots, Language::english),
                       fill(patterns.plain, slots, Language::korean)},
          .pronoun = slots.get("she")};
}

Story make_story(const World& world, Language language, Rng& rng) {
  const Parts& parts = language == Language::english ? english() : korean();
  Slots slots = rng.pick(world.people).slots;
  slots.set("time", rng.pick(times()));
  slots.set("spot", rng.pick(spots()));
  slots.set("find", rng.pick(finds()));
  Story story;
  for (const Variants& variants : parts.sentences)
    story.text += concat(story.text.empty() ? "" : " ", fill(rng.pick(variants), slots, language));
  story.summary = fill(parts.summary, slots, language);
  return story;
}

}  // namespace malssi::world
