// Finds what a mistyped word was probably meant to be, for "did you mean" in error messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

// Edits that turn a into b: insert, delete, replace a byte, or swap two neighbours (Damerau 1964,
// restricted form).
int64_t edit_distance(std::string_view a, std::string_view b);

// The known word with the fewest edits from word (the first of equals), or "" when none is near:
// more than a third of the longer one would have to change. Case and the difference between '-' and
// '_' do not count.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'layers'?", or "" when nothing is near: to be appended to an error message.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace malssi
