#include "data/pieces.h"

#include "data/data_tools.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer.h"

namespace malssi {
namespace {

std::vector<std::string> cut(std::string_view text, int64_t limit) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const int64_t length = piece_length(text, limit);
    EXPECT_TRUE(length > 0 && length <= limit);
    pieces.emplace_back(text.substr(0, static_cast<size_t>(length)));
    text.remove_prefix(static_cast<size_t>(length));
  }
  return pieces;
}

// Words of both scripts, numbers and punctuation between all kinds of white space.
std::string mixed_text(int64_t words, uint64_t seed) {
  const std::vector<std::string> kWords = {"don't", "말씨", "12345", "(x)",  "...", "가나다라",
                                           "A",     "I'll", "½",     "日本", "é",   "\u2019s"};
  const std::vector<std::string> kSpaces = {
      " ",    " ",  " ", "\n",     "\n",       "\n\n",     "  ",       " \n",    "\n  ",
      "\r\n", "\t", "",  "\u3000", "\u00a0\n", "\n\u3000", "\u2028\n", " \u00a0"};
  Rng rng(seed);
  std::string text;
  for (int64_t i = 0; i < words; ++i) text += rng.pick(kWords) + rng.pick(kSpaces);
  return text;
}

TEST(Pieces, JoinToTheText) {
  const std::string text = mixed_text(3000, 1);
  for (const int64_t limit : {4, 5, 10, 50, 1000, 1 << 20}) {
    std::string joined;
    for (const std::string& piece : cut(text, limit)) joined += piece;
    EXPECT_EQ(joined, text);
  }
}

TEST(Pieces, ATextWithoutSpacesIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += i % 2 ? "한" : "😀";
  for (const std::string& piece : cut(text, 10)) {
    EXPECT_GE(piece.size(), 7u);
    EXPECT_NE(static_cast<uint8_t>(piece[0]) & 0xc0, 0x80);
  }
  EXPECT_EQ(cut(std::string(100, '\x80'), 10).size(), 14u);  // not text: any place will do
}

TEST(Pieces, EncodeAsTheWholeTextDoes) {
  const std::string text = mixed_text(5000, 2);
  const std::string_view documents[] = {text};
  for (const char* pattern : {"gpt2", "llama3"}) {
    const auto tokenizer = train_bpe(documents, {.vocab_size = 600, .pattern = pattern});
    const std::vector<int32_t> whole = tokenizer->encode(text);
    for (const int64_t limit : {1000, 3333, 20'000}) {
      std::vector<int32_t> ids;
      for (const std::string& piece : cut(text, limit)) tokenizer->encode(piece, {}, ids);
      EXPECT_EQ(ids, whole) << pattern << " " << limit;
    }
  }
}

TEST(Pieces, EncodeRealTextAsGpt2Does) {
  const fs::path data = fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data";
  if (!fs::exists(data / "weights" / "gpt2_encoder.json")) GTEST_SKIP() << "no ../shared/data here";
  const auto tokenizer = load_gpt2_tokenizer(data / "weights" / "gpt2_encoder.json",
                                             data / "weights" / "gpt2_vocab.bpe");
  for (const char* name :
       {"lm/tinyshakespeare.txt", "lm/wikitext-2.valid.txt", "ko/nsmc_rebuilt.tsv"}) {
    const std::string text = read_file(data / name).substr(0, 300'000);
    std::vector<int32_t> ids;
    for (const std::string& piece : cut(text, 500)) tokenizer->encode(piece, {}, ids);
    EXPECT_EQ(ids, tokenizer->encode(text)) << name;
  }
}

}  // namespace
}  // namespace malssi
