// Conversations for supervised tuning.
//   messages   {"messages": [{"role": "user", "content": ".."}, {"role": "assistant", "content":
//   ".."}, ..]} Alpaca     {"instruction": "..", "input": "..", "output": ".."}; input may be
//   missing or empty, "system" may be there
// as JSON Lines or as one JSON array, records of both kinds mixed if need be. Every record is
// checked; an error names file and line. Roles: an optional system message, then user and assistant
// in turn, ending with the assistant.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "data/batches.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace malssi {

using Conversation = std::vector<Message>;

struct LoadOptions {
  bool skip_invalid =
      false;  // leave out bad records, counting them, instead of throwing at the first
};

struct SftData {
  std::vector<Conversation> conversations;
  int64_t empty_answers = 0;  // records left out because there is no answer to learn
  int64_t invalid = 0;        // records left out because they are malformed (skip_invalid)
  std::string first_invalid;  // what the first of them says
};

// Throws Error; also when no record is left.
SftData load_sft(const fs::path& file, const LoadOptions& options = {});

// Which of so many records are held out by take_held_out().
std::vector<bool> held_out_marks(int64_t count, double fraction, uint64_t seed);

// Moves out a part to measure on: at least one record when fraction > 0 and two or more are
// there; which ones depends on seed and count alone.
template <class Record>
std::vector<Record> take_held_out(std::vector<Record>& records, double fraction, uint64_t seed) {
  const std::vector<bool> chosen =
      held_out_marks(static_cast<int64_t>(records.size()), fraction, seed);
  std::vector<Record> held, kept;
  for (size_t i = 0; i < records.size(); ++i)
    (chosen[i] ? held : kept).push_back(std::move(records[i]));
  records = std::move(kept);
  return held;
}

struct ChatSetOptions {
  int64_t context = 1024;             // tokens that a conversation may take as input
  std::string too_long = "truncate";  // "truncate": keep the beginning; "drop"; "refuse": throw
};

// Encoded conversations. `trained` marks assistant text and its end token, in every turn.
class ChatSet {
 public:
  // Encodes in parallel. Conversations that have nothing to learn within the context are dropped
  // and counted. Throws when nothing is left.
  ChatSet(const std::vector<Conversation>& conversations, const Tokenizer& tokenizer,
          const ChatTemplate& chat, const ChatSetOptions& options);

  struct Chat {
    std::span<const int32_t> ids;
    std::span<const uint8_t> trained;  // ids[i] is to be learned
  };
  int64_t size() const { return static_cast<int64_t>(begins_.size()) - 1; }
  Chat at(int64_t i) const;

  int64_t context() const { return context_; }
  int64_t tokens() const { return static_cast<int64_t>(ids_.size()); }
  int64_t trained_tokens() const { return trained_tokens_; }
  int64_t truncated() const { return truncated_; }
  int64_t dropped() const { return dropped_; }

 private:
  bool add(const EncodedChat& chat);

  std::vector<int32_t> ids_;
  std::vector<uint8_t> trained_;
  std::vector<int64_t> begins_;
  int64_t context_ = 0;
  int64_t trained_tokens_ = 0, truncated_ = 0, dropped_ = 0;
};

// Which conversations share a batch.
struct PackPlan {
  std::vector<int32_t> chats;
  std::vector<int64_t> begins;  // of each batch in chats, then the number of chats

  int64_t size() const { return static_cast<int64_t>(begins.size()) - 1; }
};

struct SftBatchOptions {
  int64_t rows = 8;  // N = rows * context of the set
  uint64_t seed = 1;
};

// Packs whole conversations, shuffled anew each epoch, into batches of N tokens: each is a sequence
// of its own, so none sees another. Every conversation comes once an epoch. What is left over in a
// batch is filled with tokens of weight 0. The set must outlive it.
class SftBatches : public BatchSource {
 public:
  SftBatches(const ChatSet& chats, const SftBatchOptions& options);

  Batch next() override;
  double epochs() const override;
  int64_t batches_per_epoch()
      const override;  // of this epoch; packing differs a little from one to the next
  Json state() const override;
  void restore(const Json& state) override;

 private:
  void plan_epoch(int64_t epoch);

  const ChatSet& chats_;
  SftBatchOptions options_;
  PackPlan plan_;
  int64_t epoch_ = 0;
  int64_t position_ = 0;  // batches handed out in this epoch
};

// Every conversation once, packed likewise.
class SftEvaluationBatches : public BatchList {
 public:
  SftEvaluationBatches(const ChatSet& chats, int64_t rows);
  int64_t size() const override;
  Batch at(int64_t i) const override;

 private:
  const ChatSet& chats_;
  PackPlan plan_;
  int64_t tokens_ = 0;  // N
};

}  // namespace malssi
