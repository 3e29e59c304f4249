#include "data/record_file.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "data/gzip.h"
#include "data/labelled.h"
#include "data/sft.h"
#include "scratch.h"

namespace malssi {
namespace {

std::string gzipped(std::string_view text) {
  std::string packed(text.size() + 100, '\0');
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

class Records : public testing::Test {
 protected:
  fs::path file(const std::string& name, std::string_view content) {
    overwrite(folder_ / name, content);
    return folder_ / name;
  }
  std::vector<std::string> read(const fs::path& path) {
    RecordFile records(path, "expected records");
    JsonRecord record;
    std::vector<std::string> all;
    while (records.next(record)) {
      records.check();
      all.push_back(concat(record.line, " ", record.text));
    }
    return all;
  }
  ScratchFolder folder_;
};

TEST_F(Records, OfACommaSeparatedTableHoldCommasQuotesAndLineBreaks) {
  const auto path = file("a.csv",
                         "\xef\xbb\xbf"
                         "Q,A\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n\r\n\"two\nlines\",z\r\n한글,a\"b");
  EXPECT_EQ(read(path), (std::vector<std::string>{R"(2 {"Q":"x, y","A":"say \"hi\""})",
                                                  R"(4 {"Q":"two\nlines","A":"z"})",
                                                  R"(6 {"Q":"한글","A":"a\"b"})"}));
}

TEST_F(Records, OfATabSeparatedTableKeepTheirQuotes) {
  EXPECT_EQ(read(file("a.tsv", "id\ttext\n1\t\"so, \"\n")),
            (std::vector<std::string>{R"(2 {"id":"1","text":"\"so, \""})"}));
}

TEST_F(Records, OfARowThatDoesNotFitAreToldWithTheirLine) {
  const auto path = file("a.csv", "Q,A\n1,2\n1,2,3\n");
  EXPECT_TRUE(contains(error_of([&] { read(path); }), "a.csv line 3: 3 fields, the header has 2"));
  EXPECT_TRUE(contains(error_of([&] { read(file("b.csv", "Q,A\n1,\"2")); }), "not closed"));
  EXPECT_TRUE(contains(error_of([&] { read(file("c.csv", "Q,Q\n")); }), "a column twice"));
  EXPECT_TRUE(contains(error_of([&] { read(file("d.csv", "\n\n")); }), "no header"));
}

TEST_F(Records, AreUnpacked) {
  const std::string lines = "{\"a\":1}\n{\"a\":2}\n";
  EXPECT_EQ(read(file("a.jsonl.gz", gzipped(lines))).size(), 2u);
  EXPECT_EQ(read(file("b.json.gz", gzipped("[{\"a\":1}]"))).size(), 1u);
  EXPECT_EQ(read(file("c.csv.gz", gzipped("a,b\n1,2\n"))).size(), 1u);
  EXPECT_EQ(read(file("d.jsonl.gz", gzipped(lines) + gzipped(lines))).size(), 4u);
}

TEST_F(Records, OfADamagedArchiveAreRefused) {
  const std::string whole = gzipped("{\"a\":1}\n");
  for (const std::string& damaged :
       {whole.substr(0, whole.size() - 3), whole.substr(0, 12) + "xxxxxxx", whole + "rest"}) {
    const std::string message = error_of([&] { read(file("a.jsonl.gz", damaged)); });
    EXPECT_TRUE(contains(message, "damaged or cut short")) << message;
    EXPECT_TRUE(is_one_line(message));
  }
  const std::string large = gzipped(std::string(1 << 20, 'a'));
  EXPECT_TRUE(contains(error_of([&] { gunzip(large, "a.gz", 1000); }), "unpacks to more"));
}

TEST_F(Records, OfLabelsMayBeStringsNumbersOrTruth) {
  const auto path = file("a.jsonl", R"({"t":"a","l":10}
{"t":"b","l":2}
{"t":" ","l":2}
)");
  const LabelledOptions options{.text_column = "t", .label_column = "l"};
  LabelledData data = load_labelled(path, options);
  EXPECT_EQ(data.empty_texts, 1);
  EXPECT_EQ(classes_of(data.records), (std::vector<std::string>{"2", "10"}));
  data = load_labelled(file("b.jsonl", R"({"t":"a","l":true})"), options);
  EXPECT_EQ(data.records[0].label, "true");
  const auto half = file("c.jsonl", R"({"t":"a","l":1.5})");
  EXPECT_TRUE(contains(error_of([&] { load_labelled(half, options); }), "whole number"));
  LabelledOptions regression = options;
  regression.is_regression = true;
  EXPECT_EQ(load_labelled(half, regression).records[0].value, 1.5);
}

TEST_F(Records, OfChatsMayBeTablesUnderTheirColumnsNames) {
  const std::string table = "Q,A,label\n안녕?,반가워요.,0\n배고파,\"밥, 먹어요.\",1\n";
  SftData data = load_sft(file("chat.csv", table));
  ASSERT_EQ(data.conversations.size(), 2u);
  EXPECT_EQ(data.conversations[1][1].content, "밥, 먹어요.");
  EXPECT_EQ(data.lines, (std::vector<int64_t>{2, 3}));
  const auto named = file("other.csv", "ask,reply\n1,2\n");
  EXPECT_TRUE(contains(error_of([&] { load_sft(named); }), "--prompt-column"));
  data = load_sft(named, {.prompt_column = "ask", .answer_column = "reply"});
  EXPECT_EQ(data.conversations[0][0].content, "1");
  EXPECT_TRUE(
      contains(error_of([&] { load_sft(named, {.prompt_column = "ask", .answer_column = "no"}); }),
               "\"no\" is missing, found \"ask\", \"reply\""));
}

TEST_F(Records, OfShareGptAreConversations) {
  const auto path = file("share.json", R"([{"system":"s","conversations":[
    {"from":"human","value":"q"},{"from":"gpt","value":"a"},{"from":"observation","value":"o"},
    {"from":"gpt","value":"b"}]}])");
  const Conversation chat = load_sft(path).conversations[0];
  std::string roles;
  for (const Message& message : chat) roles += message.role + " ";
  EXPECT_EQ(roles, "system user assistant tool assistant ");
  const auto wrong = file("wrong.json", R"([{"conversations":[{"from":"gpt","value":"a"}]}])");
  EXPECT_TRUE(contains(error_of([&] { load_sft(wrong); }),
                       "line 1: message 1: role \"assistant\", expected user"));
}

// Every set of real data that names a format reads whole, or says why not.
TEST(RealData, ReadsAsItIsPublished) {
  const fs::path data = fs::path(MALSSI_SOURCE_DIR) / "../shared/data";
  if (!fs::exists(data)) GTEST_SKIP() << "no real data beside the repository (../shared/data)";
  EXPECT_EQ(load_sft(data / "ko/ChatbotData.csv").conversations.size(), 11823u);
  EXPECT_EQ(load_sft(data / "sft/alpaca_en_demo.json").conversations.size(), 999u);
  EXPECT_EQ(load_labelled(data / "ko/nsmc_rebuilt.tsv", {.text_column = "document"}).records.size(),
            28042u);
}

}  // namespace
}  // namespace malssi
