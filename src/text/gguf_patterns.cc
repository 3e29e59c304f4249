#include "text/gguf_patterns.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/splitter.h"

namespace malssi {
namespace {

struct Known {
  std::string_view names;  // apart by spaces; the first is the one to write
  std::vector<std::string> patterns;
  bool ignore_merges = false, add_bos = false;
};

constexpr const char* kEnglish = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
constexpr const char* kSpaces = R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

// Words that go on in small letters, after capitals or without; `english` may follow.
std::string cased_words(const std::string& english) {
  const std::string start = R"([^\r\n\p{L}\p{N}]?)", upper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])",
                    lower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
  return start + upper + "*" + lower + "+" + english + "|" + start + upper + "+" + lower + "*" +
         english;
}

std::vector<Known> make_table() {
  const std::string english = kEnglish, spaces = kSpaces;
  const std::string digit = R"(\p{N})", three = R"(\p{N}{1,3})", marks = R"([\p{P}\$\+<=>\^~\|)";
  const std::string symbols = R"(| ?[^\s\p{L}\p{N}]+)", breaks = R"([\r\n]*)";
  const std::string not_latin = R"(|[^\r\n\p{L}\p{N}]?)";
  const std::string sentence =
      R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)";
  const std::string east_asian = R"([\x{800}-\x{9FA5}\x{AC00}-\x{D7FF}]+)";
  const std::string punctuated =
      R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
      R"(| ?[\p{P}\p{S}]+[\r\n]*)" +
      spaces;
  return {
      {"gpt-2 phi-2 mpt olmo jais trillion granite-docling exaone4 modern-bert mellum gigachat "
       "a.x-4.0 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe",
       {"gpt2"}},
      {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
       {"llama3"},
       true,
       true},
      {"smaug-bpe dbrx glm4 chatglm-bpe", {"llama3"}},
      {"qwen2 stablelm2 deepseek-r1-qwen kormo f2llmv2 megrez hunyuan solar-open grok-2",
       {"qwen2"}},
      {"smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", {digit, "gpt2"}},
      {"default", {marks + "]+", "gpt2", R"(\p{N}+)", "[0-9][0-9][0-9]"}},
      {"falcon", {marks + "`]+", "gpt2", "[0-9][0-9][0-9]"}},
      {"deepseek-llm",
       {R"([\r\n])", R"(\s?[\p{Lu}\p{Ll}\p{Lt}]+)",
        R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)",
        R"((?<!\s)\s++\z)", east_asian, R"(\p{N}+)"}},
      {"deepseek-coder", {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", east_asian, digit}},
      {"deepseek-v3 hunyuan-dense joyai-llm hy_v4",
       {three, R"([\x{4E00}-\x{9FA5}\x{3040}-\x{30FF}]+)", punctuated}},
      {"qwen35",
       {english +
        R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})"
        R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" +
        spaces}},
      {"gpt-4o llama4 kanana2 talkie minimax-m2",
       {cased_words(english + "?") + "|" + three + symbols + R"([\r\n/]*)" + spaces}},
      {"tekken", {cased_words("") + "|" + digit + symbols + R"([\r\n/]*)" + spaces}, true, true},
      {"seed-coder", {english + not_latin + R"(\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+)" + spaces}},
      {"bailingmoe bailingmoe2 llada-moe",
       {R"('(?i:[sdmt]|ll|ve|re))" + not_latin + R"(\p{L}+|\p{N})" + symbols + breaks +
        R"(|\s*[\r\n]|\s+(?!\S)|\s+)"}},
      {"exaone-moe",
       {english + not_latin + R"((?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N})" + symbols +
        R"([\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"}},
      {"minicpm5",
       {three, english + not_latin + R"(\p{L}+|\p{N}+)" + symbols + breaks + spaces},
       true},
      {"poro-chat bloom gpt3-finnish", {sentence}},
      {"viking", {sentence, digit}},
  };
}

const std::vector<Known>& table() {
  static const std::vector<Known> kTable = make_table();
  return kTable;
}

bool is_named(const Known& known, std::string_view name) {
  return concat(' ', known.names, ' ').find(concat(' ', name, ' ')) != std::string::npos;
}

}  // namespace

GgufPattern gguf_pattern(std::string_view pre, std::string_view where) {
  const std::string_view name = pre.empty() ? "default" : pre;
  for (const Known& known : table())
    if (is_named(known, name)) return {known.patterns, known.ignore_merges, known.add_bos};
  throw Error(concat(where, ": tokenizer.ggml.pre is '", pre,
                     "', a way of splitting that is not known here"));
}

std::optional<std::string> gguf_pattern_name(const std::vector<std::string>& patterns,
                                             bool ignore_merges) {
  std::vector<std::string> expressions;
  for (const std::string& pattern : patterns) expressions.push_back(pattern_name(pattern));
  for (const Known& known : table())
    if (known.patterns == expressions && known.ignore_merges == ignore_merges)
      return std::string(known.names.substr(0, known.names.find(' ')));
  return std::nullopt;
}

}  // namespace malssi
