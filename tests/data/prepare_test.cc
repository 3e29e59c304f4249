#include "data/prepare.h"

#include <cstdlib>
#include <fstream>

#include "base/parallel.h"
#include "data/data_tools.h"
#include "data/shard_index.h"
#include "data/shard_writer.h"

namespace malssi {
namespace {

constexpr int32_t kEnd = 256, kBegin = 257;  // after the 256 bytes

std::unique_ptr<Tokenizer> bytes_with_end() { return make_byte_tokenizer({"<|endoftext|>"}); }

std::vector<int32_t> ids_of(std::string_view text) {
  std::vector<int32_t> ids;
  for (const char c : text)  // '|' stands for the end token, '^' for the begin token
    ids.push_back(c == '|' ? kEnd : c == '^' ? kBegin : static_cast<uint8_t>(c));
  return ids;
}

std::vector<int64_t> begins_of(const TokenShards& shards) {
  std::vector<int64_t> begins;
  for (int64_t i = 0; i < shards.document_count(); ++i) begins.push_back(shards.document_begin(i));
  return begins;
}

// Changes one byte in place.
void poke(const fs::path& path, size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

std::string lines(const std::vector<std::string>& documents) {
  std::string text;
  for (const std::string& document : documents) text += dump_json({{"text", document}}) + "\n";
  return text;
}

class Prepare : public testing::Test {
 protected:
  PrepareOptions options(const std::string& file, double val_fraction = 0) {
    return {.train = {.paths = {(folder_ / file).string()}},
            .validation = {},
            .val_fraction = val_fraction,
            .cache = folder_ / "cache"};
  }
  PreparedTokens prepare(const std::string& content, PrepareOptions chosen,
                         const Tokenizer& tokenizer) {
    write_file(chosen.train.paths[0], content);
    return prepare_tokens(chosen, tokenizer);
  }
  ScratchFolder folder_;
};

TEST_F(Prepare, EndTokensCloseDocumentsAndOpenTheNext) {
  const PreparedTokens data =
      prepare(lines({"ab", "c", "def"}), options("a.jsonl"), *bytes_with_end());
  EXPECT_EQ(all_ids(data.train), ids_of("|ab|c|def|"));
  EXPECT_EQ(begins_of(data.train), (std::vector<int64_t>{0, 3, 5}));
  EXPECT_TRUE(data.train.end_begins_next());
  EXPECT_EQ(data.train.vocab(), 257);
  EXPECT_EQ(data.validation.token_count(), 0);
  EXPECT_EQ(data.stats.documents, 3);
  // Every token but the first is learned: the letters after their document's opening, the end after its letters.
  const Batch batch = EvaluationBatches(data.train, {.context = 100}).at(0);
  EXPECT_EQ(batch.starts, (std::vector<int32_t>{0, 3, 5, 9}));
  EXPECT_EQ(batch.scored(), 9);
}

TEST_F(Prepare, BeginAndEndTokensFrameDocuments) {
  PrepareOptions chosen = options("a.jsonl");
  chosen.begin_token = kBegin;
  const auto tokenizer = make_byte_tokenizer({"<|endoftext|>", "<|begin|>"});
  const PreparedTokens data = prepare(lines({"ab", "c"}), chosen, *tokenizer);
  EXPECT_EQ(all_ids(data.train), ids_of("^ab|^c|"));
  EXPECT_EQ(begins_of(data.train), (std::vector<int64_t>{0, 4}));
  const Batch batch = EvaluationBatches(data.train, {.context = 100}).at(0);
  EXPECT_EQ(batch.weights,
            (std::vector<float>{1, 1, 1, 0, 1, 1}));  // no end token predicts a begin
}

TEST_F(Prepare, WithoutMarksDocumentsAreTheirTextAlone) {
  const PreparedTokens data =
      prepare(lines({"ab", "c", "de"}), options("a.jsonl"), *make_byte_tokenizer());
  EXPECT_EQ(all_ids(data.train), ids_of("abcde"));
  EXPECT_EQ(begins_of(data.train), (std::vector<int64_t>{0, 2, 3}));
  EXPECT_FALSE(data.train.end_begins_next());
}

TEST_F(Prepare, ASingleTextIsDividedAtTheFractionOfItsCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += i % 3 ? "가" : "x";
  const auto tokenizer = make_char_tokenizer(text);
  const PreparedTokens data = prepare(text, options("a.txt", 0.1), *tokenizer);
  EXPECT_EQ(data.train.token_count(), 900);
  EXPECT_EQ(data.validation.token_count(), 100);
  EXPECT_EQ(tokenizer->decode(all_ids(data.train)) + tokenizer->decode(all_ids(data.validation)),
            text);
}

TEST_F(Prepare, TheDividedTextEndsInTheValidationPartOnly) {
  const PreparedTokens data = prepare("0123456789", options("a.txt", 0.3), *bytes_with_end());
  EXPECT_EQ(all_ids(data.train), ids_of("|0123456"));
  EXPECT_EQ(all_ids(data.validation), ids_of("789|"));
  EXPECT_EQ(begins_of(data.validation), (std::vector<int64_t>{0}));
}

TEST_F(Prepare, SmallDocumentsAreNotDivided) {
  std::vector<std::string> documents(100, "abcdefg");
  const PreparedTokens data =
      prepare(lines(documents), options("a.jsonl", 0.155), *bytes_with_end());
  EXPECT_EQ(data.train.document_count(), 85);
  EXPECT_EQ(data.validation.document_count(), 15);
  EXPECT_EQ(all_ids(data.validation).front(), kEnd);  // opens the first document of the part
  EXPECT_EQ(begins_of(data.validation)[1], 8);
  EXPECT_EQ(data.train.token_count(), 1 + 85 * 8);
}

TEST_F(Prepare, SeparateValidationFilesAreTheValidationPart) {
  PrepareOptions chosen = options("a.txt", 0.5);
  chosen.validation.paths = {(folder_ / "v.txt").string()};
  write_file(folder_ / "v.txt", "검증");
  const PreparedTokens data = prepare("training", chosen, *bytes_with_end());
  EXPECT_EQ(all_ids(data.train), ids_of("|training|"));
  EXPECT_EQ(all_ids(data.validation), ids_of("|검증|"));
  EXPECT_EQ(data.stats.files, 2);
}

TEST_F(Prepare, LongDocumentsEncodeAsInOnePiece) {
  std::string text;  // several pieces and batches
  for (int i = 0; text.size() < 2'000'000; ++i)
    text += concat("word", i % 1000, i % 7 ? " " : "\n");
  PrepareOptions chosen = options("a.txt");
  chosen.batch_bytes = 300'000;
  const PreparedTokens data = prepare(text, chosen, *make_byte_tokenizer());
  const std::vector<int32_t> ids = all_ids(data.train);
  ASSERT_EQ(ids.size(), text.size());
  EXPECT_TRUE(std::equal(ids.begin(), ids.end(), text.begin(),
                         [](int32_t id, char c) { return id == static_cast<uint8_t>(c); }));
  EXPECT_EQ(data.train.document_count(), 1);
}

TEST_F(Prepare, ManyShardsReadAsOne) {
  std::vector<std::string> documents;
  std::vector<int32_t> expected = {kEnd};
  for (int i = 0; i < 6'000; ++i) {
    documents.push_back(
        std::string(static_cast<size_t>(300 + i % 37), static_cast<char>('a' + i % 26)));
    expected.insert(expected.end(), documents.back().begin(), documents.back().end());
    expected.push_back(kEnd);
  }
  PrepareOptions chosen = options("a.jsonl", 0.2);
  chosen.shard_tokens = 300'000;
  chosen.batch_bytes = 100'000;
  const PreparedTokens data = prepare(lines(documents), chosen, *bytes_with_end());
  EXPECT_TRUE(fs::exists(data.folder / "tokens-00004.bin"));
  const TokenShards whole = TokenShards::open(data.folder);
  expected.insert(expected.begin() + data.train.token_count(), kEnd);
  EXPECT_EQ(all_ids(whole), expected);
  EXPECT_EQ(whole.document_count(), 6'000);
  EXPECT_EQ(data.train.token_count() + data.validation.token_count(), whole.token_count());
  EXPECT_EQ(data.train.document_count() + data.validation.document_count(), 6'000);
}

TEST_F(Prepare, AVocabularyBeyond16BitsUses32) {
  for (const int64_t vocab : {65'536, 65'537}) {
    const fs::path target = folder_ / std::to_string(vocab);
    const std::vector<int32_t> ids = {0, 65'535, static_cast<int32_t>(vocab - 1), 7};
    ShardIndex index;
    index.vocab = vocab;
    ShardWriter writer(target, index, 1000);
    writer.begin_document();
    writer.append(ids);
    writer.end_document();
    writer.finish();
    EXPECT_EQ(fs::file_size(target / "tokens-00000.bin"), vocab == 65'536 ? 8u : 16u);
    EXPECT_EQ(all_ids(TokenShards::open(target)), ids);
  }
}

TEST_F(Prepare, TheSecondTimeComesFromTheCache) {
  const auto tokenizer = bytes_with_end();
  const PreparedTokens first = prepare("hello", options("a.txt"), *tokenizer);
  EXPECT_FALSE(first.cached);
  const PreparedTokens second =
      prepare("hello", options("a.txt"), *tokenizer);  // rewritten, the same
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(second.folder, first.folder);
  EXPECT_EQ(second.stats.characters, 5);
  EXPECT_EQ(all_ids(second.train), all_ids(first.train));
}

TEST_F(Prepare, ChangesAreNoticed) {
  const auto tokenizer = bytes_with_end();
  const fs::path first = prepare("hello", options("a.txt"), *tokenizer).folder;
  EXPECT_NE(prepare("hellO", options("a.txt"), *tokenizer).folder, first);
  EXPECT_NE(prepare("hello", options("a.txt"), *make_byte_tokenizer()).folder, first);
  EXPECT_NE(prepare("hello", options("a.txt", 0.4), *tokenizer).folder, first);
  EXPECT_EQ(prepare("hello", options("b.txt"), *tokenizer).folder, first);  // another name only
}

TEST_F(Prepare, ADamagedCacheIsMadeAgain) {
  const auto tokenizer = bytes_with_end();
  const PreparedTokens good = prepare("hello", options("a.txt"), *tokenizer);
  const std::vector<int32_t> ids = all_ids(good.train);
  for (const char* name : {"index.json", "tokens-00000.bin", "documents.bin"}) {
    const std::string content = read_file(good.folder / name);
    for (size_t at = 0; at < content.size(); ++at) {
      poke(good.folder / name, at, static_cast<char>(content[at] ^ 1));
      EXPECT_TRUE(is_one_line(error_of([&] { TokenShards::open(good.folder); }))) << name << at;
      poke(good.folder / name, at, content[at]);
    }
    EXPECT_NO_THROW(TokenShards::open(good.folder));
    for (size_t length = content.size(); length-- > 0;) {
      fs::resize_file(good.folder / name, length);
      EXPECT_TRUE(is_one_line(error_of([&] { TokenShards::open(good.folder); }))) << name << length;
    }
    const PreparedTokens again = prepare("hello", options("a.txt"), *tokenizer);
    EXPECT_FALSE(again.cached);
    EXPECT_EQ(all_ids(again.train), ids);
  }
}

TEST_F(Prepare, AnInterruptedBuildContinuesAfterItsLastShard) {
  std::vector<std::string> documents;
  for (int i = 0; i < 10'000; ++i)
    documents.push_back(
        concat("문서 ", i, " ", std::string(static_cast<size_t>(300 + i % 50), 'x')));
  documents.insert(documents.begin() + 5, std::string(300'000, 'y'));  // several pieces
  PrepareOptions chosen = options("a.jsonl", 0.3);
  const auto tokenizer = bytes_with_end();
  write_file(chosen.train.paths[0], lines(documents));
  chosen.shard_tokens = 500'000;
  chosen.batch_bytes = 100'000;
  const int64_t stop_at = 2'500'000;
  chosen.progress = [&](int64_t done, int64_t) { REQUIRE(done < stop_at, "killed"); };
  EXPECT_EQ(error_of([&] { prepare_tokens(chosen, *tokenizer); }), "killed");
  int64_t first_progress = 0;
  chosen.progress = [&](int64_t done, int64_t) {
    if (first_progress == 0) first_progress = done;
  };
  const PreparedTokens resumed = prepare_tokens(chosen, *tokenizer);
  EXPECT_GT(first_progress, 1'900'000);  // the rest was there
  chosen.cache = folder_ / "other";
  const PreparedTokens whole = prepare_tokens(chosen, *tokenizer);
  EXPECT_EQ(all_ids(resumed.train), all_ids(whole.train));
  EXPECT_EQ(all_ids(resumed.validation), all_ids(whole.validation));
  EXPECT_EQ(begins_of(resumed.train), begins_of(whole.train));
  EXPECT_EQ(begins_of(resumed.validation), begins_of(whole.validation));
}

TEST_F(Prepare, ThreadsDoNotChangeTheTokens) {
  std::vector<std::string> documents;
  for (int i = 0; i < 3'000; ++i)
    documents.push_back(concat("a", i, std::string(static_cast<size_t>(i % 700), 'b')));
  const auto tokenizer = bytes_with_end();
  PrepareOptions chosen = options("a.jsonl", 0.1);
  chosen.batch_bytes = 400'000;
  const PreparedTokens one = prepare(lines(documents), chosen, *tokenizer);
  const int threads = thread_count();
  set_thread_count(5);
  chosen.cache = folder_ / "other";
  chosen.batch_bytes = 0;
  const PreparedTokens many = prepare_tokens(chosen, *tokenizer);
  set_thread_count(threads);
  EXPECT_EQ(all_ids(one.train), all_ids(many.train));
  EXPECT_EQ(begins_of(one.validation), begins_of(many.validation));
}

TEST_F(Prepare, AnErrorInsideAThreadReachesTheCaller) {
  const auto tokenizer = make_char_tokenizer("abc");
  const std::string message = error_of([&] { prepare("abcd", options("a.txt"), *tokenizer); });
  EXPECT_TRUE(contains(message, "'d'")) << message;
}

TEST_F(Prepare, RefusesImpossibleOptions) {
  const auto tokenizer = bytes_with_end();
  EXPECT_TRUE(contains(error_of([&] { prepare("ab", options("a.txt", 1), *tokenizer); }),
                       "val_fraction is 1"));
  EXPECT_TRUE(
      contains(error_of([&] { prepare("a", options("a.txt", 0.1), *tokenizer); }), "too few"));
  PrepareOptions chosen = options("a.txt");
  chosen.end_token = 300;
  EXPECT_TRUE(contains(error_of([&] { prepare("ab", chosen, *tokenizer); }), "token 300"));
  EXPECT_TRUE(
      contains(error_of([&] { prepare_tokens(options("absent.txt"), *tokenizer); }), "absent.txt"));
}

TEST_F(Prepare, APlaceThatCannotBeWrittenIsNamed) {
  write_file(folder_ / "file", "");
  PrepareOptions chosen = options("a.txt");
  chosen.cache = folder_ / "file";
  const std::string message = error_of([&] { prepare("ab", chosen, *bytes_with_end()); });
  EXPECT_TRUE(is_one_line(message) && contains(message, "file")) << message;
}

TEST_F(Prepare, RefusesTwoBuildsOfOneFolder) {
  const auto tokenizer = bytes_with_end();
  write_file(folder_ / "a.txt", "hello");
  PrepareOptions chosen = options("a.txt");
  std::string message;
  chosen.progress = [&](int64_t, int64_t) {
    PrepareOptions second = chosen;
    second.progress = {};
    message = error_of([&] { prepare_tokens(second, *tokenizer); });
  };
  prepare_tokens(chosen, *tokenizer);
  EXPECT_TRUE(contains(message, "another run")) << message;
}

TEST(TokenCache, LiesWhereTheEnvironmentSays) {
  const char* before = std::getenv("MALSSI_CACHE");
  const std::string kept = before ? before : "";
  ::setenv("MALSSI_CACHE", "/somewhere", 1);
  EXPECT_EQ(default_token_cache(), "/somewhere/tokens");
  ::unsetenv("MALSSI_CACHE");
  EXPECT_EQ(default_token_cache().filename(), "tokens");
  if (before) ::setenv("MALSSI_CACHE", kept.c_str(), 1);
}

TEST(PrepareReal, TinyShakespeareSplitsAsNanoGptDoes) {
  const fs::path file =
      fs::path(MALSSI_SOURCE_DIR) / ".." / "shared" / "data" / "lm" / "tinyshakespeare.txt";
  if (!fs::exists(file)) GTEST_SKIP() << "no ../shared/data here";
  const ScratchFolder folder;
  const auto tokenizer = make_char_tokenizer(read_file(file));
  const PreparedTokens data = prepare_tokens(
      {.train = {.paths = {file.string()}}, .validation = {}, .cache = folder / "cache"},
      *tokenizer);
  EXPECT_EQ(tokenizer->vocab_size(), 65);
  EXPECT_EQ(data.train.token_count(), 1'003'854);
  EXPECT_EQ(data.validation.token_count(), 111'540);
  EXPECT_EQ(data.train.document_count(), 1);
}

}  // namespace
}  // namespace malssi
