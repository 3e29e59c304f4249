#include "text/unicode.h"

#include <utf8proc.h>

namespace malssi::unicode_detail {
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

}  // namespace malssi::unicode_detail
