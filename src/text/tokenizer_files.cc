// Reading tokenizers from files and folders.
#include <algorithm>

#include "base/error.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace malssi {
namespace {

// vocab.bpe, merges.txt: a "#version" line, then one merge a line.
Json read_merge_lines(const fs::path& path) {
  const std::string text = read_file(path);
  Json merges = Json::array();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && !(at == 0 && line.starts_with("#version")))
      merges.push_back(std::move(line));
    at = end + 1;
  }
  return merges;
}

}  // namespace

std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const fs::path& encoder_json,
                                               const fs::path& vocab_bpe) {
  Json json = byte_level_frame({"gpt2"});
  json["model"]["vocab"] = load_json(encoder_json);
  json["model"]["merges"] = read_merge_lines(vocab_bpe);
  AddedTokens added;
  for (const char* text : {"<|endoftext|>", "<s>", "</s>", "<pad>", "<unk>", "<mask>"})
    if (const Json& vocab = json["model"]["vocab"]; vocab.is_object() && vocab.contains(text))
      added.add({.id = get<int32_t>(vocab, text, encoder_json.string()), .text = text});
  json["added_tokens"] = added_tokens_json(added);
  return tokenizer_from_json(json, encoder_json.string());
}

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& file_or_folder) {
  std::error_code ignored;
  if (!fs::is_directory(file_or_folder, ignored)) {
    auto tokenizer = tokenizer_from_text(read_file(file_or_folder), file_or_folder.string());
    const fs::path config = file_or_folder.parent_path() / "tokenizer_config.json";
    if (file_or_folder.filename() == "tokenizer.json" && fs::exists(config, ignored))
      apply_tokenizer_config(*tokenizer, load_json(config));
    return tokenizer;
  }
  if (fs::exists(file_or_folder / "tokenizer.json", ignored))
    return load_tokenizer(file_or_folder / "tokenizer.json");
  for (const auto& [vocab, merges] :
       {std::pair("vocab.json", "merges.txt"), std::pair("encoder.json", "vocab.bpe")})
    if (fs::exists(file_or_folder / vocab, ignored) && fs::exists(file_or_folder / merges, ignored))
      return load_gpt2_tokenizer(file_or_folder / vocab, file_or_folder / merges);
  throw Error(
      concat(file_or_folder.string(),
             ": no tokenizer here: expected tokenizer.json, or vocab.json with merges.txt"));
}

}  // namespace malssi
