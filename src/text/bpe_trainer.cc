#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>

#include "base/error.h"
#include "base/parallel.h"
#include "text/bpe_tokenizer.h"
#include "text/byte_alphabet.h"
#include "text/pair_merger.h"
#include "text/splitter.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_counts.h"

namespace malssi {
namespace {

constexpr size_t kBatch = size_t{32} << 20;   // bytes of text counted in one parallel loop
constexpr size_t kPiece = size_t{512} << 10;  // bytes counted at a time by one thread
constexpr size_t kMaxWord = 256;              // a longer word is counted in parts
constexpr int64_t kReportEvery = 256;         // merges between two reports of progress

// Counts the words of documents, many at a time.
class WordCounter {
 public:
  WordCounter(const Splitter* splitter, const TrainProgress& progress)
      : splitter_(splitter), progress_(progress), counts_(static_cast<size_t>(thread_count())) {}

  void add(std::string_view document) {
    bytes_ += static_cast<int64_t>(document.size());
    if (document.size() >= kBatch) return count({document});
    if (batch_.size() + document.size() > kBatch) flush();
    starts_.push_back(batch_.size());
    batch_ += document;
  }

  WordCounts finish() {
    flush();
    for (size_t i = 1; i < counts_.size(); ++i) counts_[0].add_all(counts_[i]);
    return std::move(counts_[0]);
  }
  int64_t bytes() const { return bytes_; }

 private:
  void flush() {
    std::vector<std::string_view> documents;
    for (size_t i = 0; i < starts_.size(); ++i) {
      const size_t end = i + 1 < starts_.size() ? starts_[i + 1] : batch_.size();
      documents.push_back(std::string_view(batch_).substr(starts_[i], end - starts_[i]));
    }
    count(documents);
    batch_.clear();
    starts_.clear();
  }

  void count(const std::vector<std::string_view>& documents) {
    std::vector<std::string_view> pieces;
    for (std::string_view rest : documents)
      while (!rest.empty()) {
        const size_t size = piece_size(rest);
        pieces.push_back(rest.substr(0, size));
        rest.remove_prefix(size);
      }
    parallel_each(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
      try {
        count_piece(pieces[static_cast<size_t>(i)], counts_[static_cast<size_t>(thread_index())]);
      } catch (...) {
        const std::lock_guard lock(failure_mutex_);
        failure_ = std::current_exception();
      }
    });
    if (failure_) std::rethrow_exception(failure_);
    if (progress_) progress_("counting words", bytes_, 0);
  }

  // Cuts where a word of any usual pattern begins: before a single space between two words; else between characters.
  static size_t piece_size(std::string_view text) {
    if (text.size() <= 2 * kPiece) return text.size();
    const auto is_space = [](char c) {
      return static_cast<uint8_t>(c) < 0x80 &&
             kAsciiClass[static_cast<uint8_t>(c)] == CharClass::space;
    };
    for (size_t at = kPiece; at < 2 * kPiece - 1; ++at)
      if (text[at] == ' ' && !is_space(text[at - 1]) && !is_space(text[at + 1])) return at;
    return std::max<size_t>(1, static_cast<size_t>(complete_utf8_prefix(text.substr(0, kPiece))));
  }

  void count_piece(std::string_view text, WordCounts& counts) const {
    while (!text.empty()) {
      const auto valid = static_cast<size_t>(valid_utf8_prefix(text));
      if (valid > 0) count_valid(text.substr(0, valid), counts);
      text.remove_prefix(valid);
      if (!text.empty()) text.remove_prefix(static_cast<size_t>(decode_utf8(text, 0).length));
    }
  }

  void count_valid(std::string_view text, WordCounts& counts) const {
    std::array<int64_t, 256> ends;
    for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
      ends[0] = static_cast<int64_t>(text.size());
      const int64_t found = splitter_ ? splitter_->split(text, at, ends) : 1;
      for (int64_t i = 0; i < found; ++i) {
        std::string_view word = text.substr(static_cast<size_t>(at),
                                            static_cast<size_t>(ends[static_cast<size_t>(i)] - at));
        at = ends[static_cast<size_t>(i)];
        for (; word.size() > kMaxWord; word.remove_prefix(kMaxWord))
          counts.add(word.substr(0, kMaxWord));
        counts.add(word);
      }
    }
  }

  const Splitter* splitter_;
  const TrainProgress& progress_;
  std::vector<WordCounts> counts_;  // by thread
  std::string batch_;
  std::vector<size_t> starts_;  // of the documents in batch_
  int64_t bytes_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

void check_options(const BpeTrainOptions& options) {
  const auto smallest = static_cast<int64_t>(256 + options.special.size());
  REQUIRE(options.vocab_size >= smallest && options.vocab_size < Vocabulary::kMaxSize,
          "training a tokenizer: a vocabulary of ", options.vocab_size,
          " is impossible; it needs at least ", smallest, " (256 bytes and ",
          options.special.size(), " special tokens) and at most ", Vocabulary::kMaxSize - 1);
  REQUIRE(options.min_frequency >= 1, "training a tokenizer: the minimum frequency is ",
          options.min_frequency, ", expected at least 1");
  REQUIRE(options.max_token_bytes >= 2, "training a tokenizer: the longest token is ",
          options.max_token_bytes, " bytes, expected at least 2");
}

// Fills vocabulary and merges, most frequent pairs first.
void learn_merges(const WordCounts& words, const BpeTrainOptions& options,
                  const TrainProgress& progress, BpeParts& parts) {
  std::vector<int32_t> symbol_of_byte(256);
  for (int32_t id = 0; id < 256; ++id) {
    const uint8_t byte = byte_alphabet_order()[static_cast<size_t>(id)];
    const char text = static_cast<char>(byte);
    parts.vocabulary.add(id, {&text, 1});
    parts.merges.set_byte_id(byte, id);
    symbol_of_byte[byte] = id;
  }
  PairMerger merger(words, symbol_of_byte);
  const int64_t goal = options.vocab_size - static_cast<int64_t>(options.special.size());
  while (parts.vocabulary.size() < goal) {
    const auto pair = merger.take_best();
    if (!pair || pair->count < options.min_frequency) break;
    const std::string bytes =
        concat(parts.vocabulary.bytes(pair->left), parts.vocabulary.bytes(pair->right));
    if (static_cast<int64_t>(bytes.size()) > options.max_token_bytes) continue;
    const auto known = parts.vocabulary.find(bytes);  // another pair may have made it already
    const auto result = known.value_or(static_cast<int32_t>(parts.vocabulary.size()));
    if (!known) parts.vocabulary.add(result, bytes);
    parts.merges.add({pair->left, pair->right, result});
    merger.merge(*pair, result);
    if (progress && parts.vocabulary.size() % kReportEvery == 0)
      progress("merging pairs", parts.vocabulary.size(), goal);
  }
}

}  // namespace

std::unique_ptr<Tokenizer> train_bpe(const TextSource& source, const BpeTrainOptions& options,
                                     const TrainProgress& progress) {
  check_options(options);
  const auto splitter = options.pattern.empty() ? nullptr : make_splitter(options.pattern);
  WordCounter counter(splitter.get(), progress);
  source([&counter](std::string_view document) { counter.add(document); });
  const WordCounts words = counter.finish();
  REQUIRE(words.size() > 0, "training a tokenizer: there is no text");
  BpeParts parts;
  if (!options.pattern.empty()) parts.patterns.push_back(options.pattern);
  learn_merges(words, options, progress, parts);
  auto tokenizer = std::make_unique<BpeTokenizer>(std::move(parts));
  for (const std::string& text : options.special) tokenizer->add_special(text);
  return tokenizer;
}

std::unique_ptr<Tokenizer> train_bpe(std::span<const std::string_view> documents,
                                     const BpeTrainOptions& options,
                                     const TrainProgress& progress) {
  const auto source = [documents](const std::function<void(std::string_view)>& take) {
    for (const std::string_view document : documents) take(document);
  };
  return train_bpe(source, options, progress);
}

}  // namespace malssi
