#include "train/pretrain/make_tokenizer.h"

#include <set>

#include "base/error.h"
#include "text/bpe_trainer.h"
#include "text/chat_template.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// Every character of the corpus once.
std::string alphabet(const CorpusOptions& corpus) {
  std::set<int32_t> characters;
  for_each_document(corpus, [&](std::string_view document) {
    const auto size = static_cast<int64_t>(document.size());
    for (int64_t at = 0; at < size;) {
      const CodePoint point = decode_utf8(document, at);
      characters.insert(point.value >= 0 ? point.value : 0xFFFD);
      at += point.length;
    }
  });
  std::string text;
  for (const int32_t character : characters) append_utf8(text, character);
  return text;
}

std::vector<std::string> special_tokens(const TokenizerSettings& settings) {
  if (settings.chat_tokens) return default_special_tokens();
  return {"<|endoftext|>"};
}

std::unique_ptr<Tokenizer> trained_bpe(const TokenizerSettings& settings,
                                       const CorpusOptions& corpus, Console& console) {
  const BpeTrainOptions options{.vocab_size = settings.vocab_size,
                                .pattern = settings.pattern,
                                .special = special_tokens(settings),
                                .min_frequency = settings.min_frequency};
  const TextSource source = [&](const std::function<void(std::string_view)>& use) {
    for_each_document(corpus, use);
  };
  auto tokenizer =
      train_bpe(source, options, [&](std::string_view stage, int64_t done, int64_t total) {
        console.progress(
            {.done = done, .total = total, .text = concat("tokenizer: ", std::string(stage))});
      });
  console.end_progress();
  return tokenizer;
}

}  // namespace

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSettings& settings,
                                          const CorpusOptions& corpus, Console& console) {
  if (!settings.path.empty()) return load_tokenizer(settings.path);
  if (settings.kind == "char") return make_char_tokenizer(alphabet(corpus));
  if (settings.kind == "byte") return make_byte_tokenizer(special_tokens(settings));
  return trained_bpe(settings, corpus, console);
}

void save_tokenizer(const fs::path& folder, const Tokenizer& tokenizer) {
  AtomicFolder whole(folder);
  write_file(whole.staging() / "tokenizer.json", dump_json(tokenizer.to_json()) + "\n");
  write_file(whole.staging() / "tokenizer_config.json",
             dump_json(tokenizer_config(tokenizer, ""), 2) + "\n");
  whole.commit();
}

}  // namespace malssi
