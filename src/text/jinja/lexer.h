// Cuts a template's source into tokens, with white space as transformers sets Jinja up: trim_blocks
// (the line break after a block tag goes), lstrip_blocks (white space before a tag that begins its
// line goes), "-" at a tag strips on its side, "+" keeps. Line breaks read as "\n"; one at the very
// end goes. Error: what is wrong, with the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace malssi::jinja {

enum class TokenKind {
  data,  // text outside of tags
  output_begin,
  output_end,
  block_begin,
  block_end,
  name,
  integer,
  real,
  string,  // text: without quotes, escapes resolved
  symbol,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text = {};
  int line = 1;
};

std::vector<Token> tokenize(std::string_view source, std::string_view where);

}  // namespace malssi::jinja
