#include "data/world/hangul.h"

#include <array>
#include <cstdint>

#include "base/error.h"

namespace malssi::world {
namespace {

constexpr int32_t kFirstSyllable = 0xAC00, kLastSyllable = 0xD7A3, kFinals = 28, kRieul = 8;

struct Particle {
  std::string_view after_vowel, after_consonant, after_rieul;
};

constexpr std::array kParticles = {
    Particle{"는", "은", "은"},           Particle{"가", "이", "이"},
    Particle{"를", "을", "을"},           Particle{"와", "과", "과"},
    Particle{"로", "으로", "로"},         Particle{"라고", "이라고", "이라고"},
    Particle{"예요", "이에요", "이에요"}, Particle{"야", "이야", "이야"},
    Particle{"다", "이다", "이다"},
};

// The last code point of UTF-8 text whose last character has three bytes; -1 otherwise.
int32_t last_three_byte_character(std::string_view word) {
  if (word.size() < 3) return -1;
  const auto byte = [&](size_t back) {
    return static_cast<int32_t>(static_cast<unsigned char>(word[word.size() - back]));
  };
  if ((byte(3) & 0xF0) != 0xE0 || (byte(2) & 0xC0) != 0x80 || (byte(1) & 0xC0) != 0x80) return -1;
  return (byte(3) & 0x0F) << 12 | (byte(2) & 0x3F) << 6 | (byte(1) & 0x3F);
}

Ending ending_of_digit(char digit) {
  if (digit == '1' || digit == '7' || digit == '8') return Ending::rieul;  // il, chil, pal
  if (digit == '0' || digit == '3' || digit == '6') return Ending::consonant;
  return Ending::vowel;
}

}  // namespace

Ending ending_of(std::string_view word) {
  if (!word.empty() && word.back() >= '0' && word.back() <= '9')
    return ending_of_digit(word.back());
  const int32_t syllable = last_three_byte_character(word);
  REQUIRE(syllable >= kFirstSyllable && syllable <= kLastSyllable, "Korean particle: \"", word,
          "\" does not end in a Hangul syllable or a digit");
  const int32_t final = (syllable - kFirstSyllable) % kFinals;
  if (final == 0) return Ending::vowel;
  return final == kRieul ? Ending::rieul : Ending::consonant;
}

std::string with_particle(std::string_view word, std::string_view form) {
  for (const Particle& particle : kParticles) {
    if (particle.after_vowel != form) continue;
    const Ending ending = ending_of(word);
    const std::string_view chosen = ending == Ending::vowel   ? particle.after_vowel
                                    : ending == Ending::rieul ? particle.after_rieul
                                                              : particle.after_consonant;
    return concat(word, chosen);
  }
  throw Error(concat("Korean particle: unknown form \"", form, "\""));
}

}  // namespace malssi::world
