// Conversations for supervised tuning, a record each:
//   messages   {"messages": [{"role": "user", "content": ".."}, {"role": "assistant", "content": ".."}, ..]}
//   ShareGPT   {"conversations": [{"from": "human", "value": ".."}, {"from": "gpt", "value": ".."}, ..]}, also "system"
//   Alpaca     {"instruction": "..", "input": "..", "output": ".."}; input may be missing or empty, "system" may be there
//   pairs      a question and an answer: prompt and completion or response, question and answer, query and response, Q and A,
//              or columns that the user names
// as JSON Lines, one JSON array or a table with a header (.csv, .tsv), each also compressed (.gz); records of several forms may be
// mixed. Every record is checked; an error names file and line. Roles: an optional system message, then user and assistant in turn
// (a tool may answer the assistant), ending with the assistant.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
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
  std::string prompt_column = {}, answer_column = {};  // of pairs; empty: by their usual names
};

struct SftData {
  std::vector<Conversation> conversations;
  std::vector<int64_t> lines = {};  // where each begins in its file
  int64_t empty_answers = 0;        // records left out because there is no answer to learn
  std::string first_empty = {};     // the first of them: file and line
  int64_t invalid = 0;              // records left out because they are malformed (skip_invalid)
  std::string first_invalid = {};   // what the first of them says
};

// Throws Error; also when no record is left.
SftData load_sft(const fs::path& file, const LoadOptions& options = {});

// Which of so many records are held out by take_held_out().
std::vector<bool> held_out_marks(int64_t count, double fraction, uint64_t seed);

// Moves out the records whose groups are drawn; groups: a number of 0 .. for each record, without gaps.
template <class Record>
std::vector<Record> take_held_out_groups(std::vector<Record>& records,
                                         const std::vector<size_t>& groups, double fraction,
                                         uint64_t seed) {
  const size_t count = groups.empty() ? 0 : 1 + *std::max_element(groups.begin(), groups.end());
  const std::vector<bool> chosen = held_out_marks(static_cast<int64_t>(count), fraction, seed);
  std::vector<Record> held, kept;
  for (size_t i = 0; i < records.size(); ++i)
    (chosen[groups[i]] ? held : kept).push_back(std::move(records[i]));
  records = std::move(kept);
  return held;
}

// Moves out a part to measure on: at least one record when fraction > 0 and two or more are
// there; which ones depends on seed and count alone.
template <class Record>
std::vector<Record> take_held_out(std::vector<Record>& records, double fraction, uint64_t seed) {
  std::vector<size_t> numbers(records.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  return take_held_out_groups(records, numbers, fraction, seed);
}
// The same, but records of one key (a text) stay together, so that nothing is both learned from and measured on.
template <class Record, class KeyOf>
std::vector<Record> take_held_out_by(std::vector<Record>& records, const KeyOf& key_of,
                                     double fraction, uint64_t seed) {
  std::map<std::string, size_t> numbers;  // of the keys, as they come
  std::vector<size_t> groups;
  for (const Record& record : records)
    groups.push_back(numbers.try_emplace(key_of(record), numbers.size()).first->second);
  return take_held_out_groups(records, groups, fraction, seed);
}
// Of a prompt, or of a whole conversation: the same for the same roles and words.
std::string conversation_key(const Conversation& messages);

struct ChatSetOptions {
  int64_t context = 1024;  // tokens that a conversation may take as input
  // What happens to longer ones. "turns": keep the turns whose answers lie within it whole; "truncate": keep the beginning, if need
  // be up to the middle of an answer; "drop"; "refuse": throw.
  std::string too_long = "truncate";
  // "answers": the assistant's words and end tokens in every turn; "last": those of the last turn; "all": every token.
  std::string loss_on = "answers";
};

// Encoded conversations. `trained` marks what is learned.
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
  int64_t cut_answers() const { return cut_answers_; }  // of those, in the middle of an answer
  int64_t dropped() const { return dropped_; }
  // The number of a conversation's record among those that were encoded.
  int64_t record(int64_t i) const { return records_[static_cast<size_t>(i)]; }
  // What they lost when they were cut or dropped.
  int64_t lost_tokens() const { return lost_tokens_; }

 private:
  bool add(const EncodedChat& chat, int64_t length);

  std::vector<int32_t> ids_;
  std::vector<uint8_t> trained_;
  std::vector<int64_t> begins_;
  std::vector<int64_t> records_;
  int64_t context_ = 0;
  int64_t trained_tokens_ = 0, truncated_ = 0, cut_answers_ = 0, dropped_ = 0, lost_tokens_ = 0;
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
  std::vector<double> weights =
      {};  // how often each conversation comes in an epoch (epoch_draws.h); empty: once
};

// Packs whole conversations, shuffled anew each epoch, into batches of N tokens: each is a sequence
// of its own, so none sees another. Every conversation comes once an epoch, or as often as its weight says. What is left over in a
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
