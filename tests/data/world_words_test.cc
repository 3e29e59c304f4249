// Korean particles, and patterns in both languages.
#include <gtest/gtest.h>

#include "base/error.h"
#include "data/world/hangul.h"
#include "data/world/pattern.h"

namespace malssi::world {
namespace {

TEST(KoreanParticle, FollowsAVowel) {
  EXPECT_EQ(with_particle("미나", "는"), "미나는");
  EXPECT_EQ(with_particle("미나", "가"), "미나가");
  EXPECT_EQ(with_particle("미나", "를"), "미나를");
  EXPECT_EQ(with_particle("미나", "와"), "미나와");
  EXPECT_EQ(with_particle("의사", "로"), "의사로");
  EXPECT_EQ(with_particle("미나", "라고"), "미나라고");
  EXPECT_EQ(with_particle("의사", "예요"), "의사예요");
  EXPECT_EQ(with_particle("의사", "야"), "의사야");
  EXPECT_EQ(with_particle("의사", "다"), "의사다");
}

TEST(KoreanParticle, FollowsAFinalConsonant) {
  EXPECT_EQ(with_particle("민석", "는"), "민석은");
  EXPECT_EQ(with_particle("민석", "가"), "민석이");
  EXPECT_EQ(with_particle("민석", "를"), "민석을");
  EXPECT_EQ(with_particle("민석", "와"), "민석과");
  EXPECT_EQ(with_particle("시장", "로"), "시장으로");
  EXPECT_EQ(with_particle("콩", "라고"), "콩이라고");
  EXPECT_EQ(with_particle("빵", "예요"), "빵이에요");
  EXPECT_EQ(with_particle("빵", "야"), "빵이야");
  EXPECT_EQ(with_particle("빵", "다"), "빵이다");
}

TEST(KoreanParticle, TakesRoAfterRieul) {
  EXPECT_EQ(with_particle("한솔", "로"), "한솔로");
  EXPECT_EQ(with_particle("서울", "로"), "서울로");
  EXPECT_EQ(with_particle("한솔", "는"), "한솔은");
  EXPECT_EQ(with_particle("하늘", "와"), "하늘과");
}

TEST(KoreanParticle, ReadsDigitsInSinoKorean) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0을"}, {"1", "1을"}, {"2", "2를"}, {"3", "3을"}, {"4", "4를"},  {"5", "5를"},
      {"6", "6을"}, {"7", "7을"}, {"8", "8을"}, {"9", "9를"}, {"40", "40을"}};
  for (const auto& [number, expected] : cases) EXPECT_EQ(with_particle(number, "를"), expected);
  EXPECT_EQ(with_particle("7", "로"), "7로");
  EXPECT_EQ(with_particle("6", "로"), "6으로");
}

TEST(KoreanParticle, AgreesWithTheFirstAndLastSyllables) {
  EXPECT_EQ(ending_of("가"), Ending::vowel);
  EXPECT_EQ(ending_of("각"), Ending::consonant);
  EXPECT_EQ(ending_of("갈"), Ending::rieul);
  EXPECT_EQ(ending_of("힣"), Ending::consonant);
}

TEST(KoreanParticle, RefusesWordsWithoutAKnownEnding) {
  EXPECT_THROW(with_particle("Mina", "는"), Error);
  EXPECT_THROW(with_particle("", "는"), Error);
  EXPECT_THROW(with_particle("ㄱ", "는"), Error);
  EXPECT_THROW(with_particle("漢", "는"), Error);
  EXPECT_THROW(with_particle("\xea\xb0", "는"), Error);  // a syllable cut short
  EXPECT_THROW(with_particle("미나", "은"), Error);      // forms are named by their vowel shape
}

Slots example() {
  Slots slots;
  slots.set("x", {"Mina", "미나"});
  slots.set("thing", {"umbrella", "우산"});
  slots.set("home", {"Hanbit", "한빛 마을"});
  return slots;
}

TEST(Pattern, FillsSlotsInEnglish) {
  EXPECT_EQ(fill("{x} owns {thing:a}.", example(), Language::english), "Mina owns an umbrella.");
  EXPECT_EQ(fill("{thing:A} is {x}'s.", example(), Language::english), "An umbrella is Mina's.");
  EXPECT_EQ(fill("{thing:Cap}", example(), Language::english), "Umbrella");
  EXPECT_EQ(fill("no slots", example(), Language::english), "no slots");
  EXPECT_EQ(with_article("red kite"), "a red kite");
}

TEST(Pattern, FillsSlotsInKorean) {
  EXPECT_EQ(fill("{x:는} {home}에 살아요.", example(), Language::korean),
            "미나는 한빛 마을에 살아요.");
  EXPECT_EQ(fill("{thing:를} 가진 사람", example(), Language::korean), "우산을 가진 사람");
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(fill("{y}", example(), Language::english), InternalError);
  EXPECT_THROW(fill("{x:the}", example(), Language::english), InternalError);
  EXPECT_THROW(fill("{x", example(), Language::english), InternalError);
}

TEST(Slots, ReplaceAnEarlierTerm) {
  Slots slots = example();
  slots.set("x", {"Junho", "준호"});
  EXPECT_EQ(slots.get("x").en, "Junho");
}

}  // namespace
}  // namespace malssi::world
