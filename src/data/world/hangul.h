// Korean particles by the sound a word ends in. A Hangul syllable is
// U+AC00 + (initial * 21 + vowel) * 28 + final, so the final consonant is the remainder by 28
// (0: none). Digits are read in Sino-Korean (yeong, il, i, ...); a number that ends in 0 is read
// with a final consonant too (... sip, baek, cheon).
#pragma once

#include <string>
#include <string_view>

namespace malssi::world {

// rieul: the final consonant is ㄹ, which 로 treats as a vowel.
enum class Ending { vowel, rieul, consonant };

// Of the last character. Throws Error when it is neither a Hangul syllable nor a digit.
Ending ending_of(std::string_view word);

// The word followed by the particle that fits it. `form` names the particle by the shape it takes
// after a vowel: 는 (은), 가 (이), 를 (을), 와 (과), 로 (으로), 라고 (이라고), 예요 (이에요),
// 야 (이야), 다 (이다). Throws Error for an unknown form.
std::string with_particle(std::string_view word, std::string_view form);

}  // namespace malssi::world
