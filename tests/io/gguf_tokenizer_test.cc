#include "io/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace malssi {
namespace {

class GgufTokenizer : public testing::Test {
 protected:
  GgufVocabulary example() {
    GgufVocabulary v;
    v.model = "llama";
    v.pre = "default";
    v.tokens = {"<unk>", "<s>", "</s>", "a", std::string("\0\xff", 2)};
    v.scores = {0, 0, 0, -1.5f, -2};
    v.types = {2, 3, 3, 1, 6};
    v.merges = {"a b"};
    v.bos_id = 1;
    v.eos_id = 2;
    v.sep_id = 4;
    v.eog_ids = {2, 3};
    v.add_bos = true;
    v.add_space_prefix = false;
    v.precompiled_charsmap = std::string("\0\x80z", 3);
    v.chat_template = "{{ messages }}";
    return v;
  }
  std::string error_with(std::string_view key, const GgufValue& value) {
    {
      GgufWriter writer(path_);
      put_gguf_vocabulary(example(), writer);
      writer.put(key, value);
      writer.commit();
    }
    const Gguf file(path_);
    const std::string message = error_of([&] { read_gguf_vocabulary(file); });
    EXPECT_TRUE(is_one_line(message) && contains(message, key)) << message;
    return message;
  }

  ScratchFolder scratch_;
  fs::path path_ = scratch_ / "v.gguf";
};

TEST_F(GgufTokenizer, ComesBackAsWritten) {
  const GgufVocabulary v = example();
  GgufWriter writer(path_);
  put_gguf_vocabulary(v, writer);
  writer.commit();
  const GgufVocabulary back = read_gguf_vocabulary(Gguf(path_));
  EXPECT_EQ(back.model, v.model);
  EXPECT_EQ(back.pre, v.pre);
  EXPECT_EQ(back.tokens, v.tokens);
  EXPECT_EQ(back.scores, v.scores);
  EXPECT_EQ(back.types, v.types);
  EXPECT_EQ(back.merges, v.merges);
  EXPECT_EQ(back.bos_id, 1);
  EXPECT_EQ(back.eos_id, 2);
  EXPECT_EQ(back.sep_id, 4);
  EXPECT_EQ(back.pad_id, -1);
  EXPECT_EQ(back.eog_ids, v.eog_ids);
  EXPECT_EQ(back.add_bos, true);
  EXPECT_EQ(back.add_space_prefix, false);
  EXPECT_FALSE(back.add_eos.has_value());
  EXPECT_EQ(back.precompiled_charsmap, v.precompiled_charsmap);
  EXPECT_EQ(back.chat_template, v.chat_template);
}

TEST_F(GgufTokenizer, NamesTheKeyThatMakesNoSense) {
  using Texts = std::vector<std::string>;
  using Integers = std::vector<int64_t>;
  error_with("tokenizer.ggml.tokens", Texts{});
  error_with("tokenizer.ggml.tokens", Integers{1, 2});
  error_with("tokenizer.ggml.scores", std::vector<double>{1});
  error_with("tokenizer.ggml.scores", Texts{"a"});
  error_with("tokenizer.ggml.token_type", Integers{1, 1, 1, 1, 7});
  error_with("tokenizer.ggml.token_type", Integers{1, 1});
  error_with("tokenizer.ggml.bos_token_id", int64_t{5});
  error_with("tokenizer.ggml.bos_token_id", int64_t{-2});
  error_with("tokenizer.ggml.eos_token_id", uint64_t{1} << 63);
  error_with("tokenizer.ggml.add_bos_token", int64_t{1});
  error_with("tokenizer.ggml.precompiled_charsmap", Integers{256});
  error_with("tokenizer.ggml.model", true);
  error_with("tokenizer.chat_template", Texts{"a"});
}

TEST_F(GgufTokenizer, MayBeMissing) {
  GgufWriter writer(path_);
  writer.commit();
  EXPECT_FALSE(has_gguf_vocabulary(Gguf(path_)));
  EXPECT_TRUE(contains(error_of([&] { read_gguf_vocabulary(Gguf(path_)); }), "holds no tokenizer"));
}

}  // namespace
}  // namespace malssi
