// Encoding preferences.
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "data/encode_chats.h"
#include "data/preference.h"

namespace malssi {
namespace {

// Tokens of an answer's sequence that are the prompt's: as far as both begin alike.
int64_t prompt_tokens(const EncodedChat& prompt, const EncodedChat& answer) {
  const auto ends =
      std::mismatch(prompt.ids.begin(), prompt.ids.end(), answer.ids.begin(), answer.ids.end());
  return ends.first - prompt.ids.begin();
}

// Prompts with each of their answers, record after record.
std::vector<Conversation> whole_chats(const std::vector<Preference>& records) {
  std::vector<Conversation> chats;
  for (const Preference& record : records) {
    for (const Conversation& answer : record.answers) {
      chats.push_back(record.prompt);
      chats.back().insert(chats.back().end(), answer.begin(), answer.end());
    }
  }
  return chats;
}

std::vector<Conversation> prompts_of(const std::vector<Preference>& records) {
  std::vector<Conversation> prompts;
  for (const Preference& record : records) prompts.push_back(record.prompt);
  return prompts;
}

template <class T>
uint64_t hashed(const std::vector<T>& values, uint64_t seed) {
  return hash64(std::as_bytes(std::span(values)), seed);
}

}  // namespace

PreferenceSet::PreferenceSet(const std::vector<Preference>& records, const Tokenizer& tokenizer,
                             const ChatTemplate& chat, const PreferenceSetOptions& options)
    : context_(options.context) {
  REQUIRE(context_ >= 1, "context ", context_, ", expected at least 1");
  begins_.push_back(0);
  const std::vector<EncodedChat> prompts = encode_chats(prompts_of(records), tokenizer, chat);
  const std::vector<EncodedChat> chats = encode_chats(whole_chats(records), tokenizer, chat);
  size_t at = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const std::span<const EncodedChat> answers(chats.data() + at, records[i].answers.size());
    at += answers.size();
    const int64_t longest =
        static_cast<int64_t>(std::ranges::max(answers, {}, [](const EncodedChat& c) {
                               return c.ids.size();
                             }).ids.size());
    const bool too_long = longest - 1 > context_;
    REQUIRE(!too_long || options.too_long != "refuse", "preference ", i + 1, " has an answer of ",
            longest, " tokens with its prompt, but a context of ", context_, " holds ",
            context_ + 1, ": use a longer context, or too_long = drop");
    if (too_long || !add(answers, prompts[i])) {
      ++dropped_;
      continue;
    }
    const auto count = static_cast<int64_t>(answers.size());
    groups_.push_back({.first = sequences() - count,
                       .count = count,
                       .liked = records[i].liked.value_or(true),
                       .margin = records[i].margin,
                       .weight = records[i].weight});
  }
  REQUIRE(size() > 0, "none of ", records.size(),
          " preferences has its answers within a context of ", context_, ": use a longer context");
}

// All of a group's answers, or none, where one of them would not be scored at all.
bool PreferenceSet::add(std::span<const EncodedChat> answers, const EncodedChat& prompt) {
  const size_t ids = ids_.size(), sequences = answer_tokens_.size();
  for (const EncodedChat& chat : answers) {
    const auto length = static_cast<int64_t>(chat.ids.size());
    const int64_t begin = std::max<int64_t>(1, prompt_tokens(prompt, chat));
    int64_t scored = 0;
    for (int64_t i = 0; i < length; ++i) {
      const auto token = static_cast<size_t>(i);
      ids_.push_back(chat.ids[token]);
      scored_.push_back(i >= begin && chat.trained[token]);
      scored += scored_.back();
    }
    if (scored == 0) {
      ids_.resize(ids);
      scored_.resize(ids);
      begins_.resize(sequences + 1);
      answer_tokens_.resize(sequences);
      return false;
    }
    begins_.push_back(tokens());
    answer_tokens_.push_back(scored);
  }
  return true;
}

PreferenceSet::Sequence PreferenceSet::sequence(int64_t i) const {
  CHECK(i >= 0 && i < sequences(), "sequence ", i, " of ", sequences());
  const auto at = static_cast<size_t>(i);
  const auto begin = static_cast<size_t>(begins_[at]);
  const size_t count = static_cast<size_t>(begins_[at + 1]) - begin;
  return {std::span(ids_).subspan(begin, count), std::span(scored_).subspan(begin, count),
          answer_tokens_[at]};
}

uint64_t PreferenceSet::hash() const {
  uint64_t hash = hashed(begins_, hashed(scored_, hashed(ids_, 0)));
  for (const Group& group : groups_) {
    const std::vector<double> facts = {static_cast<double>(group.count), group.liked ? 1.0 : 0.0,
                                       group.margin, group.weight};
    hash = hashed(facts, hash);
  }
  return hash;
}

Batch sequence_batch(const PreferenceSet& set, std::span<const int64_t> sequences) {
  Batch batch;
  for (const int64_t each : sequences) {
    const PreferenceSet::Sequence sequence = set.sequence(each);
    batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
    batch.ids.insert(batch.ids.end(), sequence.ids.begin(), sequence.ids.end() - 1);
    batch.targets.insert(batch.targets.end(), sequence.ids.begin() + 1, sequence.ids.end());
    for (const uint8_t scored : sequence.scored.subspan(1)) batch.weights.push_back(scored);
  }
  batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
  return batch;
}

}  // namespace malssi
