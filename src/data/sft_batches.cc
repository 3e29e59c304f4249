// Encoding and packing conversations.
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "data/encode_chats.h"
#include "data/epoch_draws.h"
#include "data/loss_marks.h"
#include "data/sft.h"

namespace malssi {
namespace {

constexpr size_t kOpenBatches = 32;  // that a conversation may still go into

// First fit: each conversation goes into the oldest open batch with room.
PackPlan plan_batches(const ChatSet& chats, std::span<const int32_t> order, int64_t capacity) {
  struct Open {
    std::vector<int32_t> chats;
    int64_t room = 0;
  };
  PackPlan plan;
  std::vector<Open> open;
  const auto close_oldest = [&] {
    plan.begins.push_back(static_cast<int64_t>(plan.chats.size()));
    plan.chats.insert(plan.chats.end(), open.front().chats.begin(), open.front().chats.end());
    open.erase(open.begin());
  };
  for (const int32_t chat : order) {
    const int64_t inputs = static_cast<int64_t>(chats.at(chat).ids.size()) - 1;
    auto place = std::find_if(open.begin(), open.end(),
                              [&](const Open& batch) { return batch.room >= inputs; });
    if (place == open.end()) {
      if (open.size() == kOpenBatches) close_oldest();
      place = open.insert(open.end(), Open{.chats = {}, .room = capacity});
    }
    place->chats.push_back(chat);
    place->room -= inputs;
  }
  while (!open.empty()) close_oldest();
  plan.begins.push_back(static_cast<int64_t>(plan.chats.size()));
  return plan;
}

void add_chat(const ChatSet::Chat& chat, Batch& batch) {
  batch.starts.push_back(static_cast<int32_t>(batch.tokens()));
  batch.ids.insert(batch.ids.end(), chat.ids.begin(), chat.ids.end() - 1);
  batch.targets.insert(batch.targets.end(), chat.ids.begin() + 1, chat.ids.end());
  for (const uint8_t trained : chat.trained.subspan(1)) batch.weights.push_back(trained);
}

// Fills up with tokens that are not scored, in sequences no longer than the context.
void pad(Batch& batch, int64_t tokens, int64_t context) {
  for (int64_t at = batch.tokens(); at < tokens; at += context)
    batch.starts.push_back(static_cast<int32_t>(at));
  batch.ids.resize(static_cast<size_t>(tokens), 0);
  batch.targets.resize(static_cast<size_t>(tokens), 0);
  batch.weights.resize(static_cast<size_t>(tokens), 0.f);
  batch.starts.push_back(static_cast<int32_t>(tokens));
}

Batch packed_batch(const ChatSet& chats, const PackPlan& plan, int64_t number, int64_t tokens) {
  Batch batch;
  const int64_t end = plan.begins[static_cast<size_t>(number) + 1];
  for (int64_t i = plan.begins[static_cast<size_t>(number)]; i < end; ++i)
    add_chat(chats.at(plan.chats[static_cast<size_t>(i)]), batch);
  pad(batch, tokens, chats.context());
  return batch;
}

int64_t batch_tokens(const ChatSet& chats, int64_t rows) {
  REQUIRE(rows >= 1 && rows <= (int64_t{1} << 30) / chats.context(), "batches of ", rows,
          " rows of ", chats.context(), " tokens: expected at least 1 row, and fewer in all");
  return rows * chats.context();
}

// Tells one mixture from another.
std::string weights_text(const std::vector<double>& weights) {
  return weights.empty() ? "" : hash_text(hash64(std::as_bytes(std::span(weights)), 0));
}

// The longest beginning, of at most so many tokens, that ends with an answer; 0: there is none.
int64_t end_of_answers(const EncodedChat& chat, int64_t most) {
  for (int64_t length = most; length > 0; --length) {
    const auto end = static_cast<size_t>(length);
    if (chat.trained[end - 1] && (end == chat.trained.size() || !chat.trained[end])) return length;
  }
  return 0;
}

}  // namespace

ChatSet::ChatSet(const std::vector<Conversation>& conversations, const Tokenizer& tokenizer,
                 const ChatTemplate& chat, const ChatSetOptions& options)
    : context_(options.context) {
  REQUIRE(options.context >= 1, "context ", options.context, ", expected at least 1");
  const std::string& policy = options.too_long;
  REQUIRE(policy == "truncate" || policy == "drop" || policy == "refuse" || policy == "turns",
          "too_long is \"", policy, "\", expected turns, truncate, drop or refuse");
  begins_.push_back(0);
  std::vector<EncodedChat> encoded = encode_chats(conversations, tokenizer, chat);
  mark_losses(encoded, conversations, {tokenizer, chat, options.loss_on});
  for (size_t i = 0; i < encoded.size(); ++i) {
    const auto whole = static_cast<int64_t>(encoded[i].ids.size());
    const bool too_long = whole - 1 > context_;
    REQUIRE(!too_long || policy != "refuse", "conversation ", i + 1, " has ", whole,
            " tokens, but a context of ", context_, " holds ", context_ + 1,
            ": use a longer context, or too_long = turns");
    int64_t length = std::min(whole, context_ + 1);
    if (too_long && policy == "drop") length = 0;
    if (too_long && policy == "turns" && options.loss_on != "all")
      length = end_of_answers(encoded[i], length);
    if (!add(encoded[i], length)) {
      ++dropped_;
      lost_tokens_ += whole;
      continue;
    }
    records_.push_back(static_cast<int64_t>(i));
    truncated_ += too_long;
    lost_tokens_ += whole - length;
    const auto end = static_cast<size_t>(length);
    cut_answers_ += too_long && encoded[i].trained[end - 1] && encoded[i].trained[end];
  }
  REQUIRE(size() > 0, "none of ", conversations.size(),
          " conversations has an answer within a context of ", context_, ": use a longer context");
}

// False when nothing of it would be learned.
bool ChatSet::add(const EncodedChat& chat, int64_t length) {
  if (length < 2) return false;
  const int64_t learned = std::count(chat.trained.begin() + 1, chat.trained.begin() + length, true);
  if (learned == 0) return false;
  ids_.insert(ids_.end(), chat.ids.begin(), chat.ids.begin() + length);
  trained_.insert(trained_.end(), chat.trained.begin(), chat.trained.begin() + length);
  begins_.push_back(tokens());
  trained_tokens_ += learned;
  return true;
}

ChatSet::Chat ChatSet::at(int64_t i) const {
  CHECK(i >= 0 && i < size(), "conversation ", i, " of ", size());
  const size_t begin = static_cast<size_t>(begins_[static_cast<size_t>(i)]);
  const size_t count = static_cast<size_t>(begins_[static_cast<size_t>(i) + 1]) - begin;
  return {std::span(ids_).subspan(begin, count), std::span(trained_).subspan(begin, count)};
}

SftBatches::SftBatches(const ChatSet& chats, const SftBatchOptions& options)
    : chats_(chats), options_(options) {
  batch_tokens(chats, options.rows);  // checks
  const auto& weights = options_.weights;
  REQUIRE(weights.empty() || *std::max_element(weights.begin(), weights.end()) > 0,
          "no conversation is drawn in any epoch: raise the weights of the data");
  plan_epoch(0);
}

void SftBatches::plan_epoch(int64_t epoch) {
  std::vector<int32_t> order = epoch_records(chats_.size(), options_.weights, epoch);
  while (order.empty()) order = epoch_records(chats_.size(), options_.weights, ++epoch);
  Rng(options_.seed, static_cast<uint64_t>(epoch)).shuffle(std::span(order));
  plan_ = plan_batches(chats_, order, batch_tokens(chats_, options_.rows));
  epoch_ = epoch;
  position_ = 0;
}

Batch SftBatches::next() {
  Batch batch = packed_batch(chats_, plan_, position_, batch_tokens(chats_, options_.rows));
  if (++position_ == plan_.size()) plan_epoch(epoch_ + 1);
  return batch;
}

double SftBatches::epochs() const {
  return static_cast<double>(epoch_) +
         static_cast<double>(position_) / static_cast<double>(plan_.size());
}

int64_t SftBatches::batches_per_epoch() const { return plan_.size(); }

Json SftBatches::state() const {
  return {{"conversations", chats_.size()},
          {"tokens", chats_.tokens()},
          {"context", chats_.context()},
          {"rows", options_.rows},
          {"seed", options_.seed},
          {"weights", weights_text(options_.weights)},
          {"epoch", epoch_},
          {"position", position_}};
}

void SftBatches::restore(const Json& state) {
  const std::string where = "data position";
  const Json here = this->state();
  for (const std::string key : {"conversations", "tokens", "context", "rows", "seed", "weights"}) {
    const Json then = get<Json>(state, key, where);
    REQUIRE(then == here[key], where, ": \"", key, "\" was ", dump_json(then), " and is ",
            dump_json(here[key]), ": continue with the same data and options");
  }
  const int64_t epoch = get<int64_t>(state, "epoch", where);
  const int64_t position = get<int64_t>(state, "position", where);
  REQUIRE(epoch >= 0 && position >= 0, where, ": epoch ", epoch, ", position ", position,
          ": damaged");
  plan_epoch(epoch);
  REQUIRE(position < plan_.size(), where, ": batch ", position, " of ", plan_.size(),
          " in this epoch: damaged");
  position_ = position;
}

SftEvaluationBatches::SftEvaluationBatches(const ChatSet& chats, int64_t rows) : chats_(chats) {
  std::vector<int32_t> order(static_cast<size_t>(chats.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
  tokens_ = std::min(batch_tokens(chats, rows), chats.tokens() - chats.size());
  plan_ = plan_batches(chats, order, tokens_);
}

int64_t SftEvaluationBatches::size() const { return plan_.size(); }

Batch SftEvaluationBatches::at(int64_t i) const {
  CHECK(i >= 0 && i < size(), "evaluation batch ", i, " of ", size());
  return packed_batch(chats_, plan_, i, tokens_);
}

}  // namespace malssi
