#include "train/run/too_long.h"

#include "base/error.h"

namespace malssi {

std::string describe(const TooLong& found) {
  std::string what;
  if (found.cut > 0) what = concat(found.cut, " of ", found.all, " cut");
  if (found.cut_answers > 0)
    what += concat(" (", found.cut_answers, " in the middle of an answer)");
  if (found.left_out > 0)
    what += concat(what.empty() ? "" : ", ", found.left_out, " of ", found.all, " left out");
  return concat(found.records, ": ", what, ": longer than ", found.most, " tokens (",
                found.settings, ")");
}

void tell_too_long(const TooLong& found, Console& console) {
  if (found.cut + found.left_out > 0) console.warn(describe(found));
}

}  // namespace malssi
