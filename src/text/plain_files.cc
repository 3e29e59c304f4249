// Two plain vocabulary files: llama2.c's tokenizer.bin and BERT's vocab.txt.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "text/gguf_vocabulary.h"
#include "text/pipeline_tokenizer.h"
#include "text/sentencepiece_frame.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"
#include "text/unknown.h"

namespace malssi {
namespace {

constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;

// Little-endian values from a file, one after another.
class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}
  bool done() const { return bytes_.empty(); }
  std::string_view take(int64_t size) {
    REQUIRE(size >= 0 && size <= std::ssize(bytes_), where_, ": cut off: ", size,
            " bytes are expected, ", bytes_.size(), " are left");
    const std::string_view out = bytes_.substr(0, static_cast<size_t>(size));
    bytes_.remove_prefix(out.size());
    return out;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
  const std::string& where_;
};

int32_t llama2c_type(size_t id, std::string_view token) {
  if (id == 0) return kUnknown;
  if (id < 3) return kControl;
  return byte_of_token_name(token) ? kByte : kNormal;
}

bool is_bracketed(std::string_view token) {
  return token.size() > 2 && token.starts_with('[') && token.ends_with(']');
}

std::vector<std::string> read_lines(const fs::path& path) {
  const std::string text = read_file(path);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::unique_ptr<Tokenizer> load_llama2c_tokenizer(const fs::path& path) {
  const std::string where = path.string(), bytes = read_file(path);
  Cursor cursor(bytes, where);
  const auto longest = cursor.number<int32_t>();
  GgufVocabulary out;
  out.model = "llama";
  while (!cursor.done()) {
    const auto score = cursor.number<float>();
    const auto length = cursor.number<int32_t>();
    REQUIRE(std::isfinite(score) && length >= 0 && length <= longest, where,
            ": no llama2.c tokenizer: token ", out.tokens.size(), " has ", length,
            " bytes, expected 0 .. ", longest);
    std::string token(cursor.take(length));
    // The file has spaces as they are read, and names the markers with line breaks around them.
    constexpr std::array<std::string_view, 3> kMarkers = {"<unk>", "<s>", "</s>"};
    const size_t id = out.tokens.size();
    out.types.push_back(llama2c_type(id, token));
    if (id < 3) token = kMarkers[id];
    std::string spelling;
    for (const char c : token) spelling += c == ' ' ? std::string("\u2581") : std::string(1, c);
    out.tokens.push_back(std::move(spelling));
    out.scores.push_back(score);
  }
  REQUIRE(out.tokens.size() > 3, where, ": no llama2.c tokenizer, it has ", out.tokens.size(),
          " tokens");
  return tokenizer_from_gguf(out, where);
}

std::unique_ptr<Tokenizer> load_wordpiece_vocabulary(const fs::path& vocab_txt) {
  const std::string where = vocab_txt.string();
  PipelineParts parts;
  bool capitals = false;
  for (std::string& line : read_lines(vocab_txt)) {
    const auto id = static_cast<int32_t>(parts.spellings.size());
    const bool bracketed = is_bracketed(line);
    for (const char c : line) capitals = capitals || (!bracketed && c >= 'A' && c <= 'Z');
    for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
      if (line == special) parts.added.add({.id = id, .text = line});
    parts.spellings.push_back(std::move(line));
  }
  REQUIRE(parts.spellings.size() <= Vocabulary::kMaxSize, where, ": too many lines");
  const AddedToken* unknown = parts.added.find("[UNK]");
  REQUIRE(unknown, where, ": no WordPiece vocabulary, the token [UNK] is missing");
  parts.frame = wordpiece_frame({.unknown = unknown->text, .lower_case = !capitals});
  const AddedToken *cls = parts.added.find("[CLS]"), *sep = parts.added.find("[SEP]");
  const std::vector<int32_t> before = cls ? std::vector{cls->id} : std::vector<int32_t>{},
                             after = sep ? std::vector{sep->id} : std::vector<int32_t>{};
  Vocabulary texts;
  for (const AddedToken& token : parts.added.tokens()) texts.add(token.id, token.text);
  parts.frame["post_processor"] = surround_json(texts, before, after);
  auto tokenizer = std::make_unique<PipelineTokenizer>(std::move(parts), where);
  tokenizer->set_surround(before, after);
  return tokenizer;
}

}  // namespace malssi
