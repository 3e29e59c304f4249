// Vocabularies in formats of their own.
#include "fuzz/memory_file.h"
#include "fuzz/seeds.h"
#include "fuzz/uses.h"

namespace malssi::fuzz {
using namespace std::string_literals;
namespace {

constexpr std::string_view kText = "abc the 가나 ab  12\n";

// One piece of tokenizer.bin.
std::string piece(std::string_view text, float score) {
  return bytes_of(score) + bytes_of(static_cast<int32_t>(text.size())) + std::string(text);
}

}  // namespace

void run_sentencepiece(std::string_view input) {
  const MemoryFile file(input);
  use(*load_sentencepiece(file.path()), kText);
}

Seeds sentencepiece_seeds() {
  return {
      {"good_bpe", fixture("text/fixtures/pieces_bpe.model")},
      {"good_unigram", fixture("text/fixtures/pieces_unigram.model")},
      {"good_small",
       "\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02\x0a\x08\x0a\x01"
       "a\x15\x00\x00\x80\xbf"s},
      {"length_past_the_end", "\x0a\xff\xff\xff\xff\x0f"},
      {"length_below_zero", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
      {"number_without_end", std::string(64, '\xff')},
      {"unknown_wire_type", "\x0f\x0b\x0c"},
      {"charsmap_too_short",
       "\x1a\x06\x12\x04\xff\xff\xff\xff\x0a\x03\x0a\x01"
       "a"},
  };
}

void run_vocabulary(std::string_view input) {
  const std::string_view kind = take_part(input);
  const MemoryFile file(input);
  use(*(kind == "w" ? load_wordpiece_vocabulary(file.path()) : load_llama2c_tokenizer(file.path())),
      kText);
}

Seeds vocabulary_seeds() {
  const std::string pieces = piece("<unk>", 0) + piece("\n<s>\n", 0) + piece("\n</s>\n", 0) +
                             piece(" ", -1) + piece("a", -2) + piece("b", -3) + piece("ab", -0.5f);
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", value);
    bytes += piece(name, 0);
  }
  const std::string whole = piece("<unk>", 0) + piece("\n<s>\n", 0) + piece("\n</s>\n", 0) + bytes +
                            piece(" ", -1) + piece("a", -2) + piece("b", -3) + piece("ab", -0.5f);
  return {
      {"good_llama2c", joined({"l", bytes_of(int32_t{6}) + whole})},
      {"good_wordpiece", joined({"w", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nthe\n"})},
      {"without_bytes", joined({"l", bytes_of(int32_t{6}) + pieces})},
      {"length_below_zero",
       joined({"l", bytes_of(int32_t{-1}) + bytes_of(0.0f) + bytes_of(int32_t{-5})})},
      {"length_past_the_end",
       joined({"l", bytes_of(int32_t{9}) + bytes_of(0.0f) + bytes_of(INT32_MAX)})},
      {"no_lines", joined({"w", "\n\n\n"})},
  };
}

}  // namespace malssi::fuzz
