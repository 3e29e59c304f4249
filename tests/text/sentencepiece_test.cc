// SentencePiece models against SentencePiece itself (fixtures/make_pieces.py), and the other plain
// vocabulary files.
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "scratch.h"
#include "text/text_tools.h"
#include "text/tokenizer.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

TEST(SentencePiece, IdsAreThoseOfSentencePiece) {
  const Json golden = parse_json(read_file(fixture("pieces.json")), "pieces.json");
  for (const auto& [name, entry] : golden["models"].items()) {
    const auto tokenizer = load_sentencepiece(fixture(concat("pieces_", name, ".model")));
    const auto saved = tokenizer_from_text(dump_json(tokenizer->to_json()), "saved");
    for (size_t i = 0; i < golden["texts"].size(); ++i) {
      const auto text = golden["texts"][i].get<std::string>();
      const auto ids = entry["ids"][i].get<Ids>();
      EXPECT_EQ(tokenizer->encode(text), ids) << name << ": " << text;
      EXPECT_EQ(saved->encode(text), ids) << name << ": " << text;
      if (std::count(ids.begin(), ids.end(), 0)) continue;  // it shows unknown text otherwise
      if (text.find("\u2581") != text.npos) continue;       // and drops more than one space
      EXPECT_EQ(tokenizer->decode(ids), entry["decoded"][i].get<std::string>()) << name;
    }
  }
}

TEST(SentencePiece, AFileCutOrChangedAnywhereIsAnErrorOrATokenizer) {
  const ScratchFolder scratch;
  const std::string whole = read_file(fixture("pieces_unigram.model"));
  const fs::path file = scratch.path() / "t.model";
  Rng rng(11);
  const auto try_bytes = [&](const std::string& bytes) {
    overwrite(file, bytes);
    try {
      load_sentencepiece(file)->encode("the seed 말씨 \u1112\u1161\u11AB");
    } catch (const Error& error) {
      const std::string_view message = error.what();
      EXPECT_EQ(message.find('\n'), message.npos) << message;
    }
  };
  for (int i = 0; i < 300; ++i) {
    try_bytes(whole.substr(0, static_cast<size_t>(rng.below(std::ssize(whole)))));
    std::string changed = whole;
    changed[static_cast<size_t>(rng.below(std::ssize(whole)))] = static_cast<char>(rng.below(256));
    try_bytes(changed);
  }
  EXPECT_THROW(load_sentencepiece(fixture("training_text.txt")), Error);
}

TEST(SentencePiece, Llama2sTwoVocabularyFilesAgree) {
  const fs::path model = shared_data("weights/llama2_tokenizer.model");
  if (!fs::exists(model)) GTEST_SKIP() << "skipped: no ../shared/data here";
  const auto pieces = load_tokenizer(model);
  const auto plain = load_tokenizer(shared_data("weights/llama2_tokenizer.bin"));
  EXPECT_EQ(pieces->vocab_size(), 32000);
  EXPECT_EQ(pieces->encode("Hello world", {.add_special = true}), (Ids{1, 15043, 3186}));
  Rng rng(12);
  for (int i = 0; i < 200; ++i) {
    const std::string text = i % 2 ? random_text(rng, 200) : random_bytes(rng, 100);
    const Ids ids = pieces->encode(text);
    EXPECT_EQ(plain->encode(text), ids);
    EXPECT_EQ(pieces->decode(ids), text);
  }
}

TEST(SentencePiece, ALongTextWithoutSpacesTakesNoLongerThanItsLength) {
  const fs::path model = shared_data("weights/llama2_tokenizer.model");
  if (!fs::exists(model)) GTEST_SKIP() << "skipped: no ../shared/data here";
  const auto tokenizer = load_sentencepiece(model);
  std::string text;
  while (text.size() < size_t{1} << 20) text += "antidisestablishment말씨";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  const std::string spaces(size_t{1} << 20, ' ');
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(spaces)), spaces);
}

TEST(Llama2c, ItsSmallVocabularyIsRead) {
  const fs::path path = shared_data("weights/tok512.bin");
  if (!fs::exists(path)) GTEST_SKIP() << "skipped: no ../shared/data here";
  const auto tokenizer = load_llama2c_tokenizer(path);
  EXPECT_EQ(tokenizer->vocab_size(), 512);
  EXPECT_EQ(tokenizer->bos_id(), 1);
  const std::string text = "Once upon a time, there was 말씨.";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  EXPECT_LT(tokenizer->encode("Once upon a time").size(), 12u);
}

TEST(Llama2c, ADamagedFileIsAnError) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "tokenizer.bin";
  overwrite(file, std::string("\x05\0\0\0\0\0\x80\x3f\x09\0\0\0abc", 15));
  EXPECT_NE(error_of([&] { load_tokenizer(file); }).find("9 bytes, expected 0 .. 5"),
            std::string::npos);
}

TEST(WordPieceFile, BertsTokensAreThosePublished) {
  const fs::path vocabulary = shared_data("tok/bert_uncased_vocab.txt");
  if (!fs::exists(vocabulary)) GTEST_SKIP() << "skipped: no ../shared/data here";
  const auto tokenizer = load_tokenizer(vocabulary);
  const Json words = load_json(shared_data("tok/bert_basic_tokenized_questions.json"));
  const Json ids = load_json(shared_data("tok/bert_tokenized_questions.json"));
  ASSERT_EQ(words.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    std::string text;
    for (const Json& word : words[i]) text += word.get<std::string>() + " ";
    ASSERT_EQ(tokenizer->encode(text), ids[i].get<Ids>()) << i << ": " << text;
  }
  EXPECT_EQ(tokenizer->encode("Hello WÖRLD", {.add_special = true}), (Ids{101, 7592, 2088, 102}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("unaffable, indeed!")), "unaffable, indeed!");
}

}  // namespace
}  // namespace malssi
