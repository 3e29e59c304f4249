// Encodes a stream of documents in parallel and hands the ids to a ShardWriter in order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/shard_writer.h"
#include "text/tokenizer.h"

namespace malssi {

// Text is collected until all threads have enough to do, so memory stays bounded whatever the
// documents' sizes: long ones are cut into pieces (data/pieces.h).
class TextEncoder {
 public:
  // batch_bytes: text that is encoded at a time; 0 = enough for all threads. progress(bytes of text done).
  TextEncoder(const Tokenizer& tokenizer, ShardWriter& writer, int64_t batch_bytes,
              std::function<void(int64_t)> progress);

  void document(std::string_view text);
  // Its bytes from `cut` on begin the validation part.
  void divided_document(std::string_view text, int64_t cut);
  void begin_validation();
  void finish();

 private:
  enum Event : uint8_t { kBegins = 1, kEnds = 2, kValidation = 4, kDivided = 8 };
  struct Piece {
    int64_t begin = 0, end = 0;  // in text_
    uint8_t events = 0;
  };
  // Consecutive pieces that one thread encodes at a time.
  struct Job {
    size_t first = 0, last = 0;
    std::vector<int32_t> ids;
    std::vector<int64_t> ends;  // of each piece in ids
    std::exception_ptr error;
  };

  void text(std::string_view text, uint8_t first_events, uint8_t last_events);
  void piece(std::string_view text, uint8_t events);
  void flush();
  void encode(Job& job) const;
  void write(const Job& job);

  const Tokenizer& tokenizer_;
  ShardWriter& writer_;
  std::function<void(int64_t)> progress_;
  int64_t batch_bytes_ = 0;
  int64_t piece_bytes_ = 0;
  std::string text_;
  std::vector<Piece> pieces_;
  std::vector<Job> jobs_;
  int64_t skip_ = 0;  // pieces that the writer has already
  int64_t skipped_ = 0;
  int64_t bytes_done_ = 0;
};

}  // namespace malssi
