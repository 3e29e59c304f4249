#include "text/unicode.h"

#include <utf8proc.h>

#include "text/utf8.h"

namespace malssi {
namespace unicode_detail {
namespace {

CharClass classify(int32_t value) {
  if ((value >= 0x09 && value <= 0x0D) || value == 0x85) return CharClass::space;
  switch (utf8proc_category(value)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharClass::number;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharClass::space;
    default:
      return CharClass::other;
  }
}

}  // namespace

const std::vector<CharClass>& char_classes() {
  static const std::vector<CharClass> classes = [] {
    std::vector<CharClass> table(kClassified);
    for (int32_t value = 0; value < kClassified; ++value)
      table[static_cast<size_t>(value)] = classify(value);
    return table;
  }();
  return classes;
}

}  // namespace unicode_detail

bool is_punctuation(int32_t value) {
  if (value < 0x80)
    return value > 0x20 && value < 0x7F &&
           kAsciiClass[static_cast<size_t>(value)] == CharClass::other;
  const utf8proc_category_t category = utf8proc_category(value);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_mark(int32_t value) {
  const utf8proc_category_t category = utf8proc_category(value);
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

bool is_nonspacing_mark(int32_t value) { return utf8proc_category(value) == UTF8PROC_CATEGORY_MN; }

bool is_control(int32_t value) {
  if (value == '\t' || value == '\n' || value == '\r') return false;
  switch (utf8proc_category(value)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
      return true;
    default:
      return false;
  }
}

bool is_ideograph(int32_t value) {
  constexpr std::array<std::array<int32_t, 2>, 8> kBlocks = {{{0x3400, 0x4DBF},
                                                              {0x4E00, 0x9FFF},
                                                              {0xF900, 0xFAFF},
                                                              {0x20000, 0x2A6DF},
                                                              {0x2A700, 0x2B73F},
                                                              {0x2B740, 0x2B81F},
                                                              {0x2B920, 0x2CEAF},
                                                              {0x2F800, 0x2FA1F}}};
  for (const auto& [first, last] : kBlocks)
    if (value >= first && value <= last) return true;
  return false;
}

void append_lower_case(std::string& out, int32_t value) {
  append_utf8(out, utf8proc_tolower(value));
  if (value == 0x130) append_utf8(out, 0x307);  // I with a dot keeps it as a mark
}

}  // namespace malssi
