// Normalisers, pre-tokenizers, decoders and whole pipelines against Hugging Face's `tokenizers`
// (fixtures/make_pipelines.mjs), and what they do with bytes and sizes that it never sees.
#include "text/pipeline_tokenizer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "scratch.h"
#include "text/normalizer_steps.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

using Ids = std::vector<int32_t>;

const Json& golden() {
  static const Json json = parse_json(read_file(fixture("pipelines.json")), "pipelines.json");
  return json;
}

std::string text_number(size_t i) { return golden()["texts"][i].get<std::string>(); }

std::unique_ptr<Tokenizer> pipeline(std::string_view name) {
  for (const Json& entry : golden()["tokenizers"])
    if (entry["name"] == name) return tokenizer_from_json(entry["file"], name);
  throw Error(concat("there is no ", name));
}

std::string streamed(const Tokenizer& tokenizer, const Ids& ids) {
  std::string text;
  DecodeStream stream(tokenizer);
  for (const int32_t id : ids) text += stream.push(id);
  return text;
}

TEST(Normalizers, DoWhatHuggingFacesDo) {
  for (const Json& entry : golden()["normalizers"]) {
    const auto list = NormalizerList::read(entry["json"], "fixture");
    for (size_t i = 0; i < golden()["texts"].size(); ++i)
      EXPECT_EQ(list.apply(text_number(i)), entry["outputs"][i].get<std::string>())
          << dump_json(entry["json"]) << ", text " << i;
  }
}

TEST(Normalizers, LeaveBytesThatAreNoTextAlone) {
  const std::string bytes = "\xFF\xFE\x80";
  for (const Json& entry : golden()["normalizers"]) {
    if (entry["json"]["type"] == "Prepend") continue;
    const auto list = NormalizerList::read(entry["json"], "fixture");
    EXPECT_EQ(list.apply(bytes), bytes) << dump_json(entry["json"]);
  }
}

TEST(PreTokenizers, SplitLikeHuggingFaces) {
  for (const Json& entry : golden()["pre_tokenizers"]) {
    const auto list = PreTokenizerList::read(entry["json"], "fixture");
    for (size_t i = 0; i < golden()["texts"].size(); ++i) {
      if (text_number(i).empty()) continue;
      EXPECT_EQ(list.split(text_number(i), Place::start),
                entry["outputs"][i].get<std::vector<std::string>>())
          << dump_json(entry["json"]) << ", text " << i;
    }
  }
}

TEST(Pipeline, IdsAndTextsAreThoseOfHuggingFace) {
  for (const Json& entry : golden()["tokenizers"]) {
    const auto name = entry["name"].get<std::string>();
    const auto tokenizer = tokenizer_from_json(entry["file"], name);
    for (size_t i = 0; i < golden()["texts"].size(); ++i) {
      const auto ids = entry["ids"][i].get<Ids>();
      EXPECT_EQ(tokenizer->encode(text_number(i)), ids) << name << ", text " << i;
      EXPECT_EQ(tokenizer->decode(ids), entry["decoded"][i].get<std::string>())
          << name << ", text " << i;
      EXPECT_EQ(streamed(*tokenizer, ids), tokenizer->decode(ids)) << name << ", text " << i;
    }
  }
}

TEST(Pipeline, SavedAndLoadedItIsTheSame) {
  Rng rng(3);
  for (const Json& entry : golden()["tokenizers"]) {
    const auto tokenizer = tokenizer_from_json(entry["file"], "file");
    const auto loaded = tokenizer_from_text(dump_json(tokenizer->to_json()), "saved");
    EXPECT_EQ(loaded->fingerprint(), tokenizer->fingerprint());
    for (int i = 0; i < 50; ++i) {
      const std::string text = random_text(rng, 100);
      EXPECT_EQ(loaded->encode(text), tokenizer->encode(text)) << entry["name"];
    }
  }
}

TEST(Pipeline, WithByteTokensAnyBytesSurvive) {
  Rng rng(4);
  const auto tokenizer = pipeline("character_bpe");
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = i % 2 ? random_bytes(rng, rng.below(200)) : random_text(rng, 40);
    if (bytes.find("\u2581") != bytes.npos) continue;  // stands for a space
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(bytes)), bytes);
  }
}

TEST(Pipeline, AnyBytesAreEncodedByEveryModel) {
  Rng rng(5);
  for (const char* name : {"wordpiece", "unigram", "character_bpe_unknown"}) {
    const auto tokenizer = pipeline(name);
    for (int i = 0; i < 200; ++i)
      for (const int32_t id : tokenizer->encode(random_bytes(rng, rng.below(100))))
        EXPECT_LT(id, tokenizer->vocab_size());
  }
}

TEST(Pipeline, AWordIsCutLikeAWholeText) {
  // Words are encoded one by one where no token goes past a word's end; a token that does so changes
  // nothing but the way.
  Json file;
  for (const Json& entry : golden()["tokenizers"])
    if (entry["name"] == "character_bpe") file = entry["file"];
  const auto cut = tokenizer_from_json(file, "cut");
  const auto last = static_cast<int32_t>(file["model"]["vocab"].size());
  file["model"]["vocab"]["x\u2581y"] = last;  // no merge makes it
  const auto whole = tokenizer_from_json(file, "whole");
  Rng rng(6);
  for (int i = 0; i < 100; ++i) {
    const std::string text = random_text(rng, 80);
    EXPECT_EQ(cut->encode(text), whole->encode(text));
  }
}

TEST(Pipeline, AMebibyteWithoutASpaceTakesNoLongerThanItsLength) {
  for (const char* name : {"character_bpe", "unigram_bytes", "wordpiece"}) {
    const auto tokenizer = pipeline(name);
    std::string text;
    while (text.size() < size_t{1} << 20) text += "말씨theseed";
    EXPECT_FALSE(tokenizer->encode(text).empty()) << name;
    EXPECT_FALSE(tokenizer->encode(std::string(size_t{1} << 20, ' ')).size() > size_t{1} << 21);
  }
}

TEST(Pipeline, SpecialTokensAreReadOnlyOnRequest) {
  const auto tokenizer = pipeline("character_bpe");
  const Ids plain = tokenizer->encode("<s>a");
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 1), 0);
  EXPECT_EQ(tokenizer->encode("<s>a", {.parse_special = true})[0], 1);
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->eos_id(), 2);
}

TEST(Pipeline, ASingleWordIsNotReadInsideAnother) {
  Json file;
  for (const Json& entry : golden()["tokenizers"])
    if (entry["name"] == "character_bpe") file = entry["file"];
  file["added_tokens"].push_back(
      {{"id", 2000}, {"content", "seed"}, {"single_word", true}, {"special", false}});
  const auto tokenizer = tokenizer_from_json(file, "file");
  const auto count = [&](const char* text) {
    const Ids ids = tokenizer->encode(text);
    return std::count(ids.begin(), ids.end(), 2000);
  };
  EXPECT_EQ(count("seed"), 1);
  EXPECT_EQ(count("a seed, seed."), 2);
  EXPECT_EQ(count("seeds birdseed \u00e9seed seed\u00e9"), 0);
}

TEST(Pipeline, AContinuationKeepsItsSpace) {
  const auto tokenizer = pipeline("character_bpe");
  const Ids ids = tokenizer->encode("the seed");
  EXPECT_EQ(tokenizer->decode(ids), "the seed");
  EXPECT_EQ(tokenizer->decode(ids, {.place = Place::inside}), " the seed");
}

TEST(Pipeline, WordPiecePutsSpecialTokensAroundATextAndSpacesBetween) {
  const auto tokenizer = pipeline("wordpiece");
  const Ids ids = tokenizer->encode("the seed.", {.add_special = true});
  EXPECT_EQ(ids.front(), 2);
  EXPECT_EQ(ids.back(), 3);
  const std::string text = tokenizer->decode(ids);
  EXPECT_TRUE(text.starts_with("[CLS] ") && text.ends_with(" [SEP]")) << text;
  EXPECT_EQ(tokenizer->decode(ids, {.skip_special = true}), text.substr(6, text.size() - 12));
}

TEST(Pipeline, WhatIsNotSupportedIsNamed) {
  Json file;
  for (const Json& entry : golden()["tokenizers"])
    if (entry["name"] == "unigram") file = entry["file"];
  const auto message_with = [&](const char* key, const Json& value) {
    Json changed = file;
    changed[key] = value;
    return error_of([&] { tokenizer_from_json(changed, "t.json"); });
  };
  EXPECT_EQ(message_with("normalizer", {{"type", "Nmt"}}).find("t.json: normalizer"), 0u);
  EXPECT_NE(message_with("pre_tokenizer", {{"type", "X"}}).find("'X' is not"), std::string::npos);
  EXPECT_NE(message_with("decoder", {{"type", "CTC"}}).find("'CTC' is not"), std::string::npos);
  EXPECT_NE(message_with("model", {{"type", "WordLevel"}, {"vocab", Json::object()}})
                .find("'WordLevel' is not"),
            std::string::npos);
  Json scores = file;
  scores["model"]["vocab"][3][1] = "high";
  EXPECT_NE(error_of([&] { tokenizer_from_json(scores, "t.json"); }).find("number 3"),
            std::string::npos);
}

TEST(Charsmap, ADamagedTrieIsAnErrorAndNoCrash) {
  Rng rng(7);
  for (int i = 0; i < 2000; ++i) {
    std::string blob = random_bytes(rng, rng.below(64));
    if (blob.size() >= 4) blob.replace(0, 4, std::string("\x10\0\0\0", 4));
    try {
      ApplyCharsmap(blob).apply("Any text at all, 말씨");
    } catch (const Error&) {
      continue;  // as it should be
    }
  }
  EXPECT_THROW(ApplyCharsmap(std::string("\xFF\0\0\0ab", 6)), Error);
  EXPECT_EQ(ApplyCharsmap("").apply("text"), "text");
}

}  // namespace
}  // namespace malssi
