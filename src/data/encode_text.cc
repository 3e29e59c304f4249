#include "data/encode_text.h"

#include <algorithm>
#include <exception>

#include "base/parallel.h"
#include "data/pieces.h"

namespace malssi {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
constexpr int64_t kJobBytes = int64_t{1} << 18;
constexpr int64_t kBatchBytes = int64_t{8} << 20;
constexpr int64_t kBatchBytesPerThread = int64_t{2} << 20;

}  // namespace

TextEncoder::TextEncoder(const Tokenizer& tokenizer, ShardWriter& writer, int64_t batch_bytes,
                         std::function<void(int64_t)> progress)
    : tokenizer_(tokenizer),
      writer_(writer),
      progress_(std::move(progress)),
      batch_bytes_(batch_bytes > 0 ? batch_bytes
                                   : std::max(kBatchBytesPerThread * thread_count(), kBatchBytes)),
      piece_bytes_(std::min(kPieceBytes, std::max<int64_t>(batch_bytes_, 64))),
      skip_(writer.pieces_done()) {}

void TextEncoder::document(std::string_view document) { text(document, kBegins, kEnds); }

void TextEncoder::divided_document(std::string_view document, int64_t cut) {
  text(document.substr(0, static_cast<size_t>(cut)), kBegins, 0);
  text(document.substr(static_cast<size_t>(cut)), kDivided, kEnds);
}

void TextEncoder::begin_validation() { piece({}, kValidation); }

void TextEncoder::finish() { flush(); }

void TextEncoder::text(std::string_view text, uint8_t first_events, uint8_t last_events) {
  uint8_t events = first_events;
  while (true) {
    const int64_t length = piece_length(text, piece_bytes_);
    const bool last = length == static_cast<int64_t>(text.size());
    piece(text.substr(0, static_cast<size_t>(length)), last ? events | last_events : events);
    if (last) return;
    text.remove_prefix(static_cast<size_t>(length));
    events = 0;
  }
}

void TextEncoder::piece(std::string_view text, uint8_t events) {
  const int64_t bytes = static_cast<int64_t>(text.size());
  if (skipped_ < skip_) {
    ++skipped_;
    bytes_done_ += bytes;
    return;
  }
  const int64_t begin = static_cast<int64_t>(text_.size());
  text_.append(text);
  pieces_.push_back({.begin = begin, .end = begin + bytes, .events = events});
  if (begin + bytes >= batch_bytes_) flush();
}

void TextEncoder::flush() {
  size_t jobs = 0;
  for (size_t first = 0; first < pieces_.size(); ++jobs) {
    size_t last = first;
    while (last < pieces_.size() && pieces_[last].end - pieces_[first].begin <= kJobBytes) ++last;
    last = std::max(last, first + 1);
    if (jobs == jobs_.size()) jobs_.emplace_back();
    jobs_[jobs].first = first;
    jobs_[jobs].last = last;
    first = last;
  }
  parallel_each(static_cast<int64_t>(jobs),
                [&](int64_t i) { encode(jobs_[static_cast<size_t>(i)]); });
  for (size_t i = 0; i < jobs; ++i) write(jobs_[i]);
  writer_.pieces_taken(static_cast<int64_t>(pieces_.size()));
  bytes_done_ += static_cast<int64_t>(text_.size());
  pieces_.clear();
  text_.clear();
  if (progress_) progress_(bytes_done_);
}

// Nothing may be thrown out of a parallel loop: errors wait for write().
void TextEncoder::encode(Job& job) const {
  job.ids.clear();
  job.ends.clear();
  job.error = nullptr;
  try {
    job.ids.reserve(static_cast<size_t>(pieces_[job.last - 1].end - pieces_[job.first].begin));
    for (size_t i = job.first; i < job.last; ++i) {
      const Piece& piece = pieces_[i];
      const std::string_view text(text_.data() + piece.begin,
                                  static_cast<size_t>(piece.end - piece.begin));
      tokenizer_.encode(text, {}, job.ids);
      job.ends.push_back(static_cast<int64_t>(job.ids.size()));
    }
  } catch (...) {
    job.error = std::current_exception();
  }
}

void TextEncoder::write(const Job& job) {
  if (job.error) std::rethrow_exception(job.error);
  int64_t at = 0;
  for (size_t i = job.first; i < job.last; ++i) {
    const uint8_t events = pieces_[i].events;
    const int64_t end = job.ends[i - job.first];
    if (events & kValidation) writer_.begin_validation();
    if (events & kDivided) writer_.divide_document();
    if (events & kBegins) writer_.begin_document();
    writer_.append(
        std::span(job.ids).subspan(static_cast<size_t>(at), static_cast<size_t>(end - at)));
    if (events & kEnds) writer_.end_document();
    at = end;
  }
}

}  // namespace malssi
