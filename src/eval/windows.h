// How a long text is cut into windows that a model's context can hold, and which of their tokens are scored.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace malssi {

// Tokens begin .. end - 1 go through the model together; first_scored .. end - 1 are scored, each from those before it in
// the window.
struct Window {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t first_scored = 0;

  int64_t scored() const { return end - first_scored; }
};

// Windows of at most `length` tokens that start every `stride` tokens. A window scores what earlier ones did not, except
// its very first token, which nothing precedes: with stride == length every window scores one fewer than it holds, with a
// smaller stride all tokens but the text's first are scored, from at least length - stride tokens each.
// Error: length below 2, or a stride outside 1 .. length.
std::vector<Window> plan_windows(int64_t tokens, int64_t length, int64_t stride);

// Words as whitespace separates them (Unicode's White_Space).
int64_t count_words(std::string_view text);

}  // namespace malssi
