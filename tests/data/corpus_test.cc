#include "data/corpus.h"

#include "data/text_check.h"
#include "scratch.h"

namespace malssi {
namespace {

using Documents = std::vector<std::string>;

Documents documents_of(const CorpusOptions& options) {
  Documents found;
  for_each_document(options, [&](std::string_view text) { found.emplace_back(text); });
  return found;
}

Documents documents_of(const fs::path& path, const std::string& field = "text") {
  return documents_of({.paths = {path.string()}, .field = field});
}

std::string corpus_error(const fs::path& path, const std::string& field = "text") {
  return error_of([&] { documents_of(path, field); });
}

TEST(Corpus, ATextFileIsOneDocument) {
  const ScratchFolder folder;
  write_file(folder / "a.txt", "안녕, hello\n\n둘째 줄");
  write_file(folder / "noname", "any name");
  EXPECT_EQ(documents_of(folder / "a.txt"), Documents{"안녕, hello\n\n둘째 줄"});
  EXPECT_EQ(documents_of(folder / "noname"), Documents{"any name"});
}

TEST(Corpus, AByteOrderMarkIsDropped) {
  const ScratchFolder folder;
  write_file(folder / "a.txt", "\xef\xbb\xbf말씨");
  EXPECT_EQ(documents_of(folder / "a.txt"), Documents{"말씨"});
  EXPECT_EQ(scan_corpus({.paths = {(folder / "a.txt").string()}}).characters, 2);
}

TEST(Corpus, AFolderIsReadRecursivelyInOrderOfPaths) {
  const ScratchFolder folder;
  fs::create_directories(folder / "b" / "deep");
  fs::create_directories(folder / ".git");
  write_file(folder / "z.txt", "4");
  write_file(folder / "a.md", "1");
  write_file(folder / "b" / "deep" / "x.TXT", "2");
  write_file(folder / "b" / "y.jsonl", "{\"text\": \"3\"}\n");
  write_file(folder / "b" / "picture.png", "no");
  write_file(folder / "b" / "empty.txt", "");
  write_file(folder / ".hidden.txt", "no");
  write_file(folder / ".git" / "c.txt", "no");
  EXPECT_EQ(documents_of(folder.path()), (Documents{"1", "2", "3", "4"}));
}

TEST(Corpus, PathsKeepTheOrderGiven) {
  const ScratchFolder folder;
  write_file(folder / "b.txt", "b");
  write_file(folder / "a.txt", "a");
  EXPECT_EQ(documents_of({.paths = {folder / "b.txt", folder / "a.txt"}}), (Documents{"b", "a"}));
}

TEST(Corpus, JsonLinesGiveTheFieldsStrings) {
  const ScratchFolder folder;
  write_file(
      folder / "a.jsonl",
      "{\"id\": 1, \"text\": \"안녕\\n\\u0041\"}\r\n\n  {\"text\": \"\"}\n{\"text\": \"끝\"}");
  EXPECT_EQ(documents_of(folder / "a.jsonl"), (Documents{"안녕\nA", "끝"}));
  write_file(folder / "b.jsonl", "{\"body\": \"x\", \"text\": \"y\"}\n");
  EXPECT_EQ(documents_of(folder / "b.jsonl", "body"), Documents{"x"});
}

TEST(Corpus, AJsonArrayOfObjectsWorksLikeJsonLines) {
  const ScratchFolder folder;
  write_file(folder / "a.json",
             "\xef\xbb\xbf [\n {\"text\": \"a ] , } \\\" b\", \"x\": [1, {\"y\": "
             "2}]},\n{\n\"text\": \"c\"}\n]\n");
  EXPECT_EQ(documents_of(folder / "a.json"), (Documents{"a ] , } \" b", "c"}));
}

TEST(Corpus, JsonErrorsNameTheLineAndTheRemedy) {
  const ScratchFolder folder;
  const auto message = [&](std::string_view content) {
    write_file(folder / "a.jsonl", content);
    const std::string text = corpus_error(folder / "a.jsonl");
    EXPECT_TRUE(is_one_line(text)) << text;
    EXPECT_TRUE(contains(text, "a.jsonl")) << text;
    return text;
  };
  EXPECT_TRUE(contains(message("{\"text\": \"a\"}\n{\"text\": \n"), "line 2: not JSON"));
  EXPECT_TRUE(contains(message("{\"content\": \"a\", \"id\": 1}"),
                       "line 1: no \"text\" here, but \"content\", \"id\""));
  EXPECT_TRUE(contains(message("\n{\"text\": 3}"), "line 2: \"text\" is not a string"));
  EXPECT_TRUE(contains(message("[1, 2]"), "line 1: not an object"));
  EXPECT_TRUE(contains(message("{\"text\": \"\xff\xfe\"}"), "line 1: not JSON"));
  EXPECT_TRUE(
      contains(message("[{\"text\": \"a\"},\n{\"text\": \"b\"}"), "line 2: the JSON array is not"));
  EXPECT_TRUE(contains(message("[{\"text\": \"a\"},\n]"), "line 2: no record before \"]\""));
  EXPECT_TRUE(contains(message("[{\"text\": \"a\"}]\n{}"), "line 2: text after the JSON array"));
  EXPECT_TRUE(contains(message("\n  \n"), "no text in it"));
  EXPECT_TRUE(contains(message("[ ]\n"), "no text in it"));
}

TEST(Corpus, EveryTruncationOfAnArrayIsAnErrorOrShorter) {
  const ScratchFolder folder;
  const std::string whole = "[{\"text\": \"a\"}, {\"text\": \"\\u00e9\"}]";
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "a.json", whole.substr(0, length));
    EXPECT_TRUE(is_one_line(corpus_error(folder / "a.json"))) << length;
  }
}

TEST(Corpus, RefusesWhatIsMissingOrEmpty) {
  const ScratchFolder folder;
  EXPECT_TRUE(contains(corpus_error(folder / "absent.txt"), "absent.txt: no such file or folder"));
  write_file(folder / "empty.txt", "");
  EXPECT_TRUE(contains(corpus_error(folder / "empty.txt"), "empty.txt: the file is empty"));
  EXPECT_TRUE(contains(corpus_error(folder.path()), "no text in this folder"));
  EXPECT_TRUE(contains(error_of([] { documents_of(CorpusOptions{}); }), "no data"));
  EXPECT_TRUE(contains(corpus_error("/dev/null"), "/dev/null"));
}

TEST(Corpus, RefusesWhatIsNotText) {
  const ScratchFolder folder;
  const auto message = [&](std::string_view content) {
    write_file(folder / "a.txt", content);
    const std::string text = corpus_error(folder / "a.txt");
    EXPECT_TRUE(is_one_line(text)) << text;
    EXPECT_TRUE(contains(text, "a.txt: ")) << text;
    return text;
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(contains(message("some text\0more"sv), "binary data (a NUL byte at 9)"));
  EXPECT_TRUE(contains(message("h\0e\0l\0l\0o\0 \0t\0h\0"sv), "UTF-16"));
  EXPECT_TRUE(contains(message("\xff\xfeh\0e\0"sv), "UTF-16"));
  EXPECT_TRUE(contains(message("\x1f\x8b\x08 text"), "gzip"));
  EXPECT_TRUE(contains(message("PK\x03\x04 text"), "zip"));
  // "안녕하세요" in CP949
  EXPECT_TRUE(contains(message("\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4"), "iconv -f CP949"));
}

TEST(Corpus, RefusesAFileThatMayNotBeRead) {
  const ScratchFolder folder;
  write_file(folder / "a.txt", "secret");
  fs::permissions(folder / "a.txt", fs::perms::none);
  const bool privileged = [&] {
    try {
      read_file(folder / "a.txt");
      return true;
    } catch (const Error&) {
      return false;
    }
  }();
  if (privileged) GTEST_SKIP() << "this user may read every file";
  EXPECT_TRUE(contains(corpus_error(folder / "a.txt"), "a.txt"));
}

TEST(Corpus, AFewInvalidBytesPassAndAreCounted) {
  const ScratchFolder folder;
  const std::string text = std::string(1000, 'a') + "\xff" + std::string(1000, 'b');
  write_file(folder / "a.txt", text);
  EXPECT_EQ(documents_of(folder / "a.txt"), Documents{text});
  EXPECT_EQ(scan_corpus({.paths = {(folder / "a.txt").string()}}).invalid_bytes, 1);
}

TEST(Corpus, ScanCountsFilesDocumentsBytesAndCharacters) {
  const ScratchFolder folder;
  write_file(folder / "a.txt", "가나다");
  write_file(folder / "b.jsonl", "{\"text\": \"ab\"}\n{\"text\": \"\\uac00\"}\n");
  const CorpusStats stats = scan_corpus({.paths = {folder.path().string()}});
  EXPECT_EQ(stats.files, 2);
  EXPECT_EQ(stats.documents, 3);
  EXPECT_EQ(stats.bytes, 9 + 2 + 3);
  EXPECT_EQ(stats.characters, 3 + 2 + 1);
  EXPECT_EQ(stats.invalid_bytes, 0);
}

TEST(TextCheck, CountsOverWindowsAsOverTheWhole) {
  std::string text;
  int64_t characters = 0;
  for (; text.size() < 400'000; ++characters) text += characters % 3 ? "글" : "x";
  text += "\x80";  // a stray continuation
  const TextCheck check = check_text(text, "memory");
  EXPECT_EQ(check.characters, characters);
  EXPECT_EQ(check.invalid_bytes, 1);
  EXPECT_EQ(count_characters(text), characters);
}

TEST(TextCheck, FindsTheOffsetOfACharacter) {
  std::string text;
  std::vector<int64_t> offsets;
  while (text.size() < 200'000) {
    offsets.push_back(static_cast<int64_t>(text.size()));
    text += offsets.size() % 5 ? "한" : "a";
  }
  for (size_t i = 0; i < offsets.size(); i += 997)
    EXPECT_EQ(character_offset(text, static_cast<int64_t>(i)), offsets[i]);
  EXPECT_EQ(character_offset(text, static_cast<int64_t>(offsets.size())),
            static_cast<int64_t>(text.size()));
  EXPECT_EQ(character_offset("", 0), 0);
}

}  // namespace
}  // namespace malssi
