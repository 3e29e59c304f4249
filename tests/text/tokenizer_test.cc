// Whole tokenizers: any bytes come back, ids are those of independent implementations (fixtures/make_fixtures.mjs), damaged
// files are refused.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "scratch.h"
#include "text/bpe_trainer.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

const Json& golden() {
  static const Json json = parse_json(read_file(fixture("golden.json")), "golden.json");
  return json;
}

std::unique_ptr<Tokenizer> trained(const std::string& pattern) {
  const std::string text = training_text();
  const std::string_view documents[] = {text};
  return train_bpe(documents, {.vocab_size = 500, .pattern = pattern});
}

std::vector<std::unique_ptr<Tokenizer>> every_kind() {
  std::vector<std::unique_ptr<Tokenizer>> all;
  all.push_back(trained("gpt2"));
  all.push_back(trained("llama3"));
  all.push_back(make_byte_tokenizer());
  all.push_back(make_char_tokenizer(training_text(), {.byte_fallback = true}));
  return all;
}

void expect_survives(const Tokenizer& tokenizer, const std::string& text) {
  ASSERT_TRUE(tokenizer.decode(tokenizer.encode(text)) == text)
      << tokenizer.kind() << ", " << text.size() << " bytes";
}

TEST(Tokenizer, EveryCharacterOfEveryPlaneSurvives) {
  for (const auto& tokenizer : every_kind()) {
    for (int32_t plane = 0; plane <= 0x10; ++plane) {
      std::string text;
      for (int32_t low = 0; low < 0x10000; ++low) {
        const int32_t character = plane << 16 | low;
        if (character < 0xD800 || character > 0xDFFF) append_utf8(text, character);
      }
      expect_survives(*tokenizer, text);
    }
  }
}

TEST(Tokenizer, AnyBytesSurvive) {
  Rng rng(5);
  for (const auto& tokenizer : every_kind()) {
    expect_survives(*tokenizer, "");
    for (int i = 0; i < 200; ++i) {
      expect_survives(*tokenizer, random_bytes(rng, rng.below(200)));
      expect_survives(*tokenizer, random_text(rng, rng.below(60)));
    }
  }
}

// A hundred mebibytes; under the sanitizers, which are slow, one.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kLongLine = size_t{1} << 20;
#else
constexpr size_t kLongLine = size_t{100} << 20;
#endif

TEST(Tokenizer, AHundredMebibytesOnOneLineSurvive) {
  std::string line;
  while (line.size() < kLongLine) line += "말씨가 고운 사람은 seeds of 12 languages; ";
  expect_survives(*trained("llama3"), line);
}

TEST(Tokenizer, AHundredMebibytesWithoutASpaceSurvive) {
  expect_survives(*trained("gpt2"), std::string(kLongLine, 'a'));
}

TEST(Tokenizer, IdsAreThoseOfHuggingFacesTokenizers) {
  for (const auto& [name, entry] : golden()["tokenizers"].items()) {
    const auto tokenizer = tokenizer_from_json(entry["file"], name);
    for (size_t i = 0; i < golden()["texts"].size(); ++i) {
      if (entry["ids"][i].is_null()) continue;  // theirs cannot leave special tokens unread
      const auto text = golden()["texts"][i].get<std::string>();
      EXPECT_EQ(tokenizer->encode(text), entry["ids"][i].get<std::vector<int32_t>>())
          << name << ", text " << i;
    }
  }
}

TEST(Tokenizer, IdsOfGpt2sVocabularyAreThosePublished) {
  const fs::path encoder = shared_data("weights/gpt2_encoder.json");
  if (!fs::exists(encoder)) GTEST_SKIP() << "no ../shared/data here";
  const auto tokenizer = load_gpt2_tokenizer(encoder, shared_data("weights/gpt2_vocab.bpe"));
  for (size_t i = 0; i < golden()["texts"].size(); ++i) {
    const auto text = golden()["texts"][i].get<std::string>();
    EXPECT_EQ(tokenizer->encode(text), golden()["gpt2"][i].get<std::vector<int32_t>>()) << i;
  }
}

TEST(Tokenizer, SavedAndLoadedItIsTheSame) {
  Rng rng(8);
  for (const auto& tokenizer : every_kind()) {
    const auto loaded = tokenizer_from_text(tokenizer->to_json().dump(), "saved");
    EXPECT_EQ(loaded->fingerprint(), tokenizer->fingerprint()) << tokenizer->kind();
    const std::string text = random_text(rng, 500);
    EXPECT_EQ(loaded->encode(text), tokenizer->encode(text)) << tokenizer->kind();
  }
}

TEST(Tokenizer, AFileCutAnywhereIsOneClearError) {
  const std::string text = training_text();
  const std::string_view documents[] = {text};
  for (const auto& tokenizer : {train_bpe(documents, {.vocab_size = 300}), make_byte_tokenizer()}) {
    const std::string whole = tokenizer->to_json().dump();
    for (size_t size = 0; size < whole.size(); ++size) {
      const std::string message =
          error_of([&] { tokenizer_from_text(whole.substr(0, size), "cut.json"); });
      ASSERT_NE(message.find("cut.json"), std::string::npos) << size << ": " << message;
      ASSERT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace malssi
