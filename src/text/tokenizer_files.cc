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

// By the name's end; a file of another name is taken for a tokenizer.json.
std::unique_ptr<Tokenizer> load_by_name(const fs::path& file) {
  const std::string ending = file.extension().string();
  if (ending == ".model") return load_sentencepiece(file);
  if (ending == ".bin") return load_llama2c_tokenizer(file);
  if (ending == ".txt") return load_wordpiece_vocabulary(file);
  return tokenizer_from_text(read_file(file), file.string());
}

std::unique_ptr<Tokenizer> load_file(const fs::path& file) {
  auto tokenizer = load_by_name(file);
  std::error_code ignored;
  const fs::path config = file.parent_path() / "tokenizer_config.json";
  const std::string name = file.filename().string();
  if ((name == "tokenizer.json" || file.extension() == ".model") && fs::exists(config, ignored))
    apply_tokenizer_config(*tokenizer, load_json(config));
  return tokenizer;
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
  if (!fs::is_directory(file_or_folder, ignored)) return load_file(file_or_folder);
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model"})
    if (fs::exists(file_or_folder / name, ignored)) return load_file(file_or_folder / name);
  for (const auto& [vocab, merges] :
       {std::pair("vocab.json", "merges.txt"), std::pair("encoder.json", "vocab.bpe")})
    if (fs::exists(file_or_folder / vocab, ignored) && fs::exists(file_or_folder / merges, ignored))
      return load_gpt2_tokenizer(file_or_folder / vocab, file_or_folder / merges);
  for (const char* name : {"vocab.txt", "tokenizer.bin"})
    if (fs::exists(file_or_folder / name, ignored)) return load_file(file_or_folder / name);
  throw Error(concat(file_or_folder.string(),
                     ": no tokenizer here: expected tokenizer.json, tokenizer.model, vocab.json "
                     "with merges.txt, vocab.txt or tokenizer.bin"));
}

}  // namespace malssi
