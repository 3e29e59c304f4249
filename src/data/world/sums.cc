#include "data/world/sums.h"

#include "base/error.h"
#include "data/world/hangul.h"

namespace malssi::world {
namespace {

constexpr int64_t kLow = 10, kHigh = 99;

std::vector<std::string_view> questions(SumStyle style, Language language) {
  if (language == Language::english) {
    if (style == SumStyle::plain)
      return {"What is {a} + {b}?", "{a} + {b} = ?", "Add {a} and {b}.", "How much is {a} + {b}?"};
    return {"What is {a} + {b}? Show the steps.", "Work out {a} + {b} step by step.",
            "Add {a} and {b}. Show the steps.", "How much is {a} + {b}? Go step by step."};
  }
  if (style == SumStyle::plain)
    return {"{a} + {b:는} 얼마예요?", "{a} + {b} = ?", "{a}에 {b:를} 더해 주세요.",
            "{a} 더하기 {b:는} 얼마예요?"};
  return {"{a} + {b:는} 얼마예요? 풀이를 보여 주세요.", "{a} + {b:를} 차례차례 풀어 주세요.",
          "{a}에 {b:를} 더하고 풀이를 보여 주세요.", "{a} 더하기 {b:를} 차례차례 풀어 주세요."};
}

// Reads numbers, plus and equals signs off a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // The number that starts at the position; moves behind it. -1: none, or too long a one.
  int64_t number() {
    constexpr size_t kMostDigits = 6;
    const size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    if (at_ == begin || at_ - begin > kMostDigits) return -1;
    return std::stoll(std::string(text_.substr(begin, at_ - begin)));
  }
  // Passes over blanks and the sign when it comes next.
  bool sign(char wanted) {
    size_t ahead = at_;
    while (ahead < text_.size() && text_[ahead] == ' ') ++ahead;
    if (ahead >= text_.size() || text_[ahead] != wanted) return false;
    for (++ahead; ahead < text_.size() && text_[ahead] == ' ';) ++ahead;
    at_ = ahead;
    return true;
  }
  // Moves to the next digit; false at the end.
  bool find_number() {
    while (at_ < text_.size() && !is_digit(text_[at_])) ++at_;
    return at_ < text_.size();
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  std::string_view text_;
  size_t at_ = 0;
};

struct Working {
  int64_t equations = 0;
  bool true_so_far = true;
  std::vector<int64_t> loose;  // numbers outside equations and right sides, in order
};

// Every "n + n (+ n) = n" of the text, and the numbers that stand alone or on a right side.
Working read_working(std::string_view text) {
  Working working;
  Reader reader(text);
  while (reader.find_number()) {
    int64_t last = reader.number(), left = last, terms = 1;
    for (; last >= 0 && reader.sign('+'); ++terms) left += last = reader.number();
    if (last < 0) {
      working.true_so_far = false;
    } else if (terms == 1) {
      working.loose.push_back(left);
    } else {
      const int64_t right = reader.sign('=') ? reader.number() : -1;
      ++working.equations;
      working.true_so_far = working.true_so_far && right == left;
      working.loose.push_back(right);
    }
  }
  return working;
}

}  // namespace

SumSplit split_sums(int64_t held_out, uint64_t seed) {
  std::vector<Sum> all;
  for (int64_t a = kLow; a <= kHigh; ++a)
    for (int64_t b = kLow; b <= kHigh; ++b) all.push_back({a, b});
  REQUIRE(held_out >= 0 && held_out < std::ssize(all), "additions: ", held_out,
          " to be held out of ", all.size());
  Rng rng(seed, 2);
  rng.shuffle(std::span<Sum>(all));
  return {.train = {all.begin() + held_out, all.end()},
          .held_out = {all.begin(), all.begin() + held_out}};
}

std::string ask_sum(const Sum& sum, SumStyle style, Language language, Rng& rng) {
  Slots slots;
  slots.set("a", {concat(sum.a), concat(sum.a)});
  slots.set("b", {concat(sum.b), concat(sum.b)});
  return fill(rng.pick(questions(style, language)), slots, language);
}

std::string work_sum(const Sum& sum, Language language) {
  const int64_t ones = sum.a % 10 + sum.b % 10, carry = ones / 10;
  const int64_t tens = sum.a / 10 + sum.b / 10 + carry;
  const std::string first = concat(sum.a % 10, "+", sum.b % 10, "=", ones);
  const std::string second = concat(sum.a / 10, "+", sum.b / 10, "+", carry, "=", tens);
  if (language == Language::english)
    return concat("Ones: ", first, ", write ", ones % 10, ", carry ", carry, ". Tens: ", second,
                  ".");
  return concat("일의 자리: ", first, ", ", with_particle(concat(ones % 10), "를"), " 쓰고 ",
                with_particle(concat(carry), "를"), " 올려요. 십의 자리: ", second, ".");
}

std::string answer_sum(const Sum& sum, SumStyle style, Language language) {
  if (style == SumStyle::plain) return concat(sum.total());
  return concat(work_sum(sum, language),
                language == Language::english ? " Answer: " : " 답: ", sum.total());
}

bool sum_is_right(const Sum& sum, std::string_view reply) {
  const Working working = read_working(reply);
  return working.true_so_far && working.equations <= 1 && working.loose.size() == 1 &&
         working.loose[0] == sum.total();
}

bool steps_are_right(const Sum& sum, std::string_view reply) {
  const Working working = read_working(reply);
  return working.true_so_far && working.equations >= 2 && !working.loose.empty() &&
         working.loose.back() == sum.total();
}

}  // namespace malssi::world
