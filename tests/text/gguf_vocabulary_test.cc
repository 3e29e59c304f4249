// Tokenizers of ours as GGUF keys and back, and keys that make no sense.
#include "text/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "scratch.h"
#include "text/bpe_trainer.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

std::unique_ptr<Tokenizer> trained(const std::string& pattern) {
  const std::string text = training_text();
  const std::string_view documents[] = {text};
  return train_bpe(documents,
                   {.vocab_size = 500, .pattern = pattern, .special = {"<|endoftext|>"}});
}

std::unique_ptr<Tokenizer> pipeline(std::string_view name) {
  const Json golden = parse_json(read_file(fixture("pipelines.json")), "pipelines.json");
  for (const Json& entry : golden["tokenizers"])
    if (entry["name"] == name) return tokenizer_from_json(entry["file"], name);
  throw Error(concat("there is no ", name));
}

void expect_same(const Tokenizer& ours, const Tokenizer& back) {
  EXPECT_EQ(back.vocab_size(), ours.vocab_size());
  EXPECT_EQ(back.bos_id(), ours.bos_id());
  EXPECT_EQ(back.eos_id(), ours.eos_id());
  Rng rng(21);
  for (int i = 0; i < 200; ++i) {
    const std::string text = random_text(rng, 60);
    const std::vector<int32_t> ids = ours.encode(text, {.add_special = true});
    EXPECT_EQ(back.encode(text, {.add_special = true}), ids) << ours.kind();
    EXPECT_EQ(back.decode(ids), ours.decode(ids)) << ours.kind();
  }
}

void expect_survives(const Tokenizer& ours) {
  const auto back = tokenizer_from_gguf(gguf_vocabulary(ours), "file.gguf");
  expect_same(ours, *back);
  expect_same(ours, *tokenizer_from_text(dump_json(back->to_json()), "saved"));
}

TEST(GgufVocabulary, TrainedTokenizersComeBackTheSame) {
  for (const char* pattern : {"gpt2", "llama3", "qwen2"}) {
    const auto tokenizer = trained(pattern);
    expect_survives(*tokenizer);
    EXPECT_EQ(gguf_vocabulary(*tokenizer).model, "gpt2");
  }
  EXPECT_EQ(gguf_vocabulary(*trained("gpt2")).pre, "gpt-2");
  EXPECT_EQ(gguf_vocabulary(*trained("qwen2")).pre, "qwen2");
  // llama-bpe would take whole words first, which ours does not.
  EXPECT_EQ(gguf_vocabulary(*trained("llama3")).pre, "smaug-bpe");
}

TEST(GgufVocabulary, BytesAndCharactersComeBackTheSame) {
  expect_survives(*make_byte_tokenizer({"<|endoftext|>"}));
  const auto characters =
      make_char_tokenizer(training_text(), {.byte_fallback = true, .special = {"<|endoftext|>"}});
  const auto back = tokenizer_from_gguf(gguf_vocabulary(*characters), "file.gguf");
  Rng rng(22);
  for (int i = 0; i < 100; ++i) {
    const std::string text = random_text(rng, 60);
    EXPECT_EQ(back->encode(text), characters->encode(text));
    EXPECT_EQ(back->decode(back->encode(text)), text);
  }
}

TEST(GgufVocabulary, SentencePieceModelsComeBackTheSame) {
  for (const char* name : {"pieces_bpe.model", "pieces_bpe_bare.model", "pieces_unigram.model"})
    expect_survives(*load_sentencepiece(fixture(name)));
}

TEST(GgufVocabulary, MergesOfATokenizerJsonBecomeScores) {
  const auto model = load_sentencepiece(fixture("pieces_bpe.model"));
  // Its tokenizer.json has merges and no scores.
  const auto loaded = tokenizer_from_text(dump_json(model->to_json()), "saved");
  expect_survives(*loaded);
  EXPECT_EQ(gguf_vocabulary(*loaded).model, "llama");
}

TEST(GgufVocabulary, GemmasSplitAtSpacesAndLlamasMetaspaceAreUnderstood) {
  Json file = load_sentencepiece(fixture("pieces_bpe_bare.model"))->to_json();
  file["pre_tokenizer"] = {{"type", "Split"},
                           {"pattern", {{"String", " "}}},
                           {"behavior", "MergedWithPrevious"},
                           {"invert", false}};
  expect_survives(*tokenizer_from_json(file, "gemma"));
  file["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", "first"}, {"split", false}};
  file["normalizer"] = nullptr;
  EXPECT_TRUE(*gguf_vocabulary(*tokenizer_from_json(file, "llama")).add_space_prefix);
  file["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_FALSE(*gguf_vocabulary(*tokenizer_from_json(file, "llama")).add_space_prefix);
}

TEST(GgufVocabulary, WordPieceComesBackTheSame) {
  const auto tokenizer = pipeline("wordpiece");
  const auto vocabulary = gguf_vocabulary(*tokenizer);
  EXPECT_EQ(vocabulary.model, "bert");
  const auto back = tokenizer_from_gguf(vocabulary, "file.gguf");
  for (const char* text : {"the seed of a language", "Hello, WORLD!", "안녕하세요 42"}) {
    const auto ids = tokenizer->encode(text, {.add_special = true});
    EXPECT_EQ(back->encode(text, {.add_special = true}), ids) << text;
    EXPECT_EQ(back->decode(ids), tokenizer->decode(ids)) << text;
  }
}

TEST(GgufVocabulary, WhatLlamaCppCannotDoIsAnErrorThatSaysSo) {
  EXPECT_NE(error_of([] { gguf_vocabulary(*trained("[a-z]+|[^a-z]")); }).find("[a-z]+|[^a-z]"),
            std::string::npos);
  EXPECT_NE(error_of([] { gguf_vocabulary(*make_char_tokenizer("abc")); }).find("byte"),
            std::string::npos);
  EXPECT_NE(
      error_of([] { gguf_vocabulary(*pipeline("character_bpe_unknown")); }).find("byte tokens"),
      std::string::npos);
}

TEST(GgufVocabulary, AMarkThatEndsAnswersIsNeverReadFromPlainText) {
  GgufVocabulary vocabulary = gguf_vocabulary(*trained("gpt2"));
  vocabulary.tokens.push_back("<|im_end|>");
  vocabulary.types.push_back(4);  // what some files say
  const auto tokenizer = tokenizer_from_gguf(vocabulary, "file.gguf");
  const auto id = static_cast<int32_t>(vocabulary.tokens.size()) - 1;
  EXPECT_TRUE(tokenizer->is_special(id));
  EXPECT_GT(tokenizer->encode("<|im_end|>").size(), 1u);
  EXPECT_EQ(tokenizer->encode("<|im_end|>", {.parse_special = true}), std::vector<int32_t>{id});
}

TEST(GgufVocabulary, LlamaThreeStartsATextUnlessTheFileSaysOtherwise) {
  GgufVocabulary vocabulary = gguf_vocabulary(*trained("llama3"));
  vocabulary.pre = "llama-bpe";
  vocabulary.bos_id = 7;
  vocabulary.add_bos.reset();
  const auto first = [&] {
    return tokenizer_from_gguf(vocabulary, "file.gguf")->encode("a", {.add_special = true}).at(0);
  };
  EXPECT_EQ(first(), 7);
  vocabulary.add_bos = false;
  EXPECT_NE(first(), 7);
}

TEST(GgufVocabulary, WithoutSpecialTokensThereAreNoRoles) {
  for (const auto& tokenizer :
       {make_byte_tokenizer(), make_char_tokenizer(training_text(), {.byte_fallback = true})}) {
    const auto back = tokenizer_from_gguf(gguf_vocabulary(*tokenizer), "file.gguf");
    EXPECT_EQ(back->bos_id(), -1) << tokenizer->kind();
    EXPECT_EQ(back->eos_id(), -1) << tokenizer->kind();
    EXPECT_EQ(back->encode("말씨", {.add_special = true}), tokenizer->encode("말씨"));
  }
}

TEST(GgufVocabulary, WrongKeysAreErrorsThatNameTheFile) {
  const GgufVocabulary good = gguf_vocabulary(*trained("gpt2"));
  const auto message_of = [](const GgufVocabulary& vocabulary) {
    const std::string message =
        error_of([&] { tokenizer_from_gguf(vocabulary, "file.gguf")->encode("a text"); });
    EXPECT_NE(message.find("file.gguf"), std::string::npos) << message;
    return message;
  };
  GgufVocabulary bad = good;
  bad.model = "rwkv";
  EXPECT_NE(message_of(bad).find("'rwkv'"), std::string::npos);
  bad = good;
  bad.pre = "no-such";
  EXPECT_NE(message_of(bad).find("'no-such'"), std::string::npos);
  bad = good;
  bad.tokens.clear();
  message_of(bad);
  bad = good;
  bad.types.resize(3);
  message_of(bad);
  bad = good;
  bad.merges.push_back("nospace");
  message_of(bad);
  bad.merges.back() = "zz qq";
  EXPECT_NE(message_of(bad).find("zz qq"), std::string::npos);
  bad = good;
  bad.model = "llama";
  EXPECT_NE(message_of(bad).find("scores"), std::string::npos);
}

TEST(GgufVocabulary, IdsOutsideTheVocabularyAreNoRoles) {
  GgufVocabulary vocabulary = gguf_vocabulary(*trained("gpt2"));
  vocabulary.eos_id = vocabulary.bos_id = vocabulary.pad_id = 1 << 30;
  vocabulary.add_bos = vocabulary.add_eos = true;
  const auto tokenizer = tokenizer_from_gguf(vocabulary, "file.gguf");
  EXPECT_LT(tokenizer->pad_id(), tokenizer->vocab_size());
  for (const int32_t id : tokenizer->encode("a text", {.add_special = true}))
    EXPECT_LT(id, tokenizer->vocab_size());
}

}  // namespace
}  // namespace malssi
