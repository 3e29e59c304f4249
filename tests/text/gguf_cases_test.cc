// llama.cpp's own cases for the vocabularies that it ships, where MALSSI_GGUF_CASES names its models
// folder.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "scratch.h"
#include "text/gguf_reader_for_tests.h"
#include "text/gguf_vocabulary.h"

namespace malssi {
namespace {

struct Case {
  std::string text;
  std::vector<int32_t> ids;
};

std::vector<Case> read_cases(const fs::path& vocabulary) {
  const std::string inputs = read_file(vocabulary.string() + ".inp");
  std::istringstream outputs(read_file(vocabulary.string() + ".out"));
  constexpr std::string_view kBetween = "\n__ggml_vocab_test__\n";
  std::vector<Case> cases;
  size_t at = 0;
  for (std::string line; std::getline(outputs, line);) {
    const size_t end = std::min(inputs.find(kBetween, at), inputs.size());
    Case next{inputs.substr(at, end - at), {}};
    std::istringstream numbers(line);
    for (int32_t id; numbers >> id;) next.ids.push_back(id);
    cases.push_back(std::move(next));
    at = std::min(end + kBetween.size(), inputs.size());
  }
  return cases;
}

class GgufCases : public testing::TestWithParam<const char*> {};

TEST_P(GgufCases, AreTokenizedAlike) {
  const char* folder = std::getenv("MALSSI_GGUF_CASES");
  if (!folder) GTEST_SKIP() << "skipped: MALSSI_GGUF_CASES does not name llama.cpp's models folder";
  const fs::path path = fs::path(folder) / concat("ggml-vocab-", GetParam(), ".gguf");
  if (!fs::exists(path)) GTEST_SKIP() << "skipped: " << path.string() << " is not here";
  const auto tokenizer = tokenizer_from_gguf(TestGguf(path).vocabulary(), path.string());
  const std::vector<Case> cases = read_cases(path);
  EXPECT_GT(cases.size(), 40u);
  for (const Case& one : cases) EXPECT_EQ(tokenizer->encode(one.text), one.ids) << one.text;
  // The way back, and through a tokenizer.json.
  const auto again = tokenizer_from_text(dump_json(tokenizer->to_json()), "saved");
  for (const Case& one : cases) EXPECT_EQ(again->encode(one.text), one.ids) << one.text;
}

INSTANTIATE_TEST_SUITE_P(All, GgufCases,
                         testing::Values("gpt-2", "llama-bpe", "llama-spm", "phi-3", "qwen2",
                                         "qwen35", "bert-bge", "falcon", "starcoder", "refact",
                                         "deepseek-llm", "deepseek-coder", "mpt", "command-r",
                                         "gemma-4"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace malssi
