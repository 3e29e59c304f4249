// The names that GGUF files give to ways of splitting before byte-level BPE (tokenizer.ggml.pre), and
// the patterns behind them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

struct GgufPattern {
  std::vector<std::string>
      patterns;  // names or expressions for make_splitter, one inside the other
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
};

// Error: a name that is not known; `where` names the file.
GgufPattern gguf_pattern(std::string_view pre, std::string_view where);
// The name under which llama.cpp splits so. Nothing where it knows no such way.
std::optional<std::string> gguf_pattern_name(const std::vector<std::string>& patterns,
                                             bool ignore_merges);

}  // namespace malssi
