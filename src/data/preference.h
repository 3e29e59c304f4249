// Preferences: which of several answers to a prompt people liked better, or whether they liked one.
//   pair     {"prompt": .., "chosen": .., "rejected": ..}, also "margin": by how much
//   judged   {"prompt": .., "completion": .., "label": true}, or {"messages": [..], "label": false}
//   ranking  {"prompt": .., "ranked": [best, .., worst]}
// as JSON Lines, one JSON array or a table (.csv, .tsv), each also compressed (.gz). Prompt and answers are texts or lists of messages
// {"role", "content"} (or {"from", "value"}); "conversations" is another name of the prompt. A pair without a prompt has it in
// both answers, as their shared beginning. A text that begins with "\n\nHuman:" is a dialogue of Human and Assistant
// (Bai et al. 2022's files). Every record is checked; an error names file and line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/sft.h"

namespace malssi {

struct Preference {
  Conversation prompt;                // ends before the assistant's turn
  std::vector<Conversation> answers;  // the best first; each begins and ends with the assistant
  std::optional<bool> liked = {};     // of a single answer
  double margin = 0;                  // of a pair
  double weight = 1;                  // how often it comes in an epoch (epoch_draws.h)
};

// What a method learns from. Rankings hold pairs too: of two answers.
enum class PreferenceKind { pairs, judged, rankings };

struct PreferenceData {
  std::vector<Preference> records;
  int64_t undecided = 0;      // left out: the answers are the same, or one is empty
  int64_t invalid = 0;        // left out because they are malformed (skip_invalid)
  std::string first_invalid;  // what the first of them says
};

// Records of one kind; a pair counts as two judged answers where those are wanted. Throws Error; also when none is left.
PreferenceData load_preferences(const fs::path& file, PreferenceKind kind,
                                const LoadOptions& options = {});

// Moves out a part to measure on, as take_held_out() does, but by prompts: all records of one stay together, so that nothing
// that is measured was learned in another answer.
std::vector<Preference> take_held_out_prompts(std::vector<Preference>& records, double fraction,
                                              uint64_t seed);

// Gives each record a second answer, that of another record: what KTO estimates its z0 from. Depends on the records alone.
void add_mismatched(std::vector<Preference>& records);

// Encoded preferences: groups of sequences (prompt and answer), one group for a record. `scored` marks the answer's words and
// end tokens.
struct PreferenceSetOptions {
  int64_t context = 1024;         // tokens that a prompt with its answer may take as input
  std::string too_long = "drop";  // groups with a longer one: "drop"; "refuse": throw
};

class PreferenceSet {
 public:
  // Encodes in parallel. An answer is never cut, as its end would be learned wrongly: its group is dropped and counted; so is
  // one with an answer that has nothing to score. Throws when nothing is left.
  PreferenceSet(const std::vector<Preference>& records, const Tokenizer& tokenizer,
                const ChatTemplate& chat, const PreferenceSetOptions& options);

  struct Group {
    int64_t first = 0, count = 0;  // its sequences
    bool liked = true;
    double margin = 0;
    double weight = 1;
  };
  struct Sequence {
    std::span<const int32_t> ids;
    std::span<const uint8_t> scored;
    int64_t answer_tokens = 0;  // scored ones
  };
  int64_t size() const { return static_cast<int64_t>(groups_.size()); }
  const Group& at(int64_t i) const { return groups_[static_cast<size_t>(i)]; }
  int64_t sequences() const { return static_cast<int64_t>(begins_.size()) - 1; }
  Sequence sequence(int64_t i) const;

  int64_t context() const { return context_; }
  int64_t tokens() const { return static_cast<int64_t>(ids_.size()); }
  int64_t dropped() const { return dropped_; }  // groups
  uint64_t hash() const;                        // of all that is encoded

 private:
  bool add(std::span<const EncodedChat> answers, const EncodedChat& prompt);

  std::vector<int32_t> ids_;
  std::vector<uint8_t> scored_;
  std::vector<int64_t> begins_;
  std::vector<int64_t> answer_tokens_;
  std::vector<Group> groups_;
  int64_t context_ = 0;
  int64_t dropped_ = 0;
};

// Sequences as one batch for a language model: each token's target is the next one, scored in the answers.
Batch sequence_batch(const PreferenceSet& set, std::span<const int64_t> sequences);

}  // namespace malssi
