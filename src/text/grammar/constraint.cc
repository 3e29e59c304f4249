#include "text/grammar/constraint.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kMaxPlaces = 16'384;  // of one answer; then its table starts anew
constexpr size_t kMaxMasks = 4'096;     // kept for one grammar
constexpr size_t kMaxAnswered = 256;    // places whose tokens are kept for one answer
constexpr size_t kMaxTops = 16;         // of a place that is put together from its states' masks
constexpr size_t kNever = std::numeric_limits<size_t>::max();

void add(std::vector<uint64_t>& bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
}

void remove(std::vector<uint64_t>& bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] &= ~(uint64_t{1} << (id % 64));
}

int32_t shared_bytes(std::string_view a, std::string_view b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<int32_t>(end.first - a.begin());
}

// Calls body(i) for each bit that is set.
template <class Body>
void for_bits(uint64_t bits, const Body& body) {
  for (; bits != 0; bits &= bits - 1) body(static_cast<size_t>(std::countr_zero(bits)));
}

// Sets all but the allowed ones of up to 64 logits to -infinity.
void keep_bits(std::span<float> logits, uint64_t bits) {
  constexpr float kOut = -std::numeric_limits<float>::infinity();
  const uint64_t all = logits.size() == 64 ? ~uint64_t{0} : (uint64_t{1} << logits.size()) - 1;
  bits &= all;
  if (std::popcount(bits) > 32) return for_bits(all & ~bits, [&](size_t i) { logits[i] = kOut; });
  float kept[32];
  size_t count = 0;
  for_bits(bits, [&](size_t i) { kept[count++] = logits[i]; });
  std::fill(logits.begin(), logits.end(), kOut);
  count = 0;
  for_bits(bits, [&](size_t i) { logits[i] = kept[count++]; });
}

// Sets the other logits to -infinity; false when none is allowed.
bool keep_allowed(std::span<float> logits, const std::vector<uint64_t>& allowed) {
  bool any = false;
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const uint64_t bits = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
    keep_bits(logits.subspan(begin, std::min<size_t>(64, logits.size() - begin)), bits);
    any = any || bits != 0;
  }
  return any;
}

void require_any(bool any) {
  REQUIRE(any, "the grammar allows nothing that this tokenizer can say next");
}

// Walks all tokens of the list from a place; visit(index, taken, left): all bytes are taken; on the
// way the rule may have been left.
template <class Visit>
void walk(Walker& walker, int32_t from, const TokenList& list, const Visit& visit) {
  std::vector<int32_t> places(list.longest() + 1, from);  // after 0, 1, .. bytes
  size_t dead = kNever, left = kNever;  // bytes after which the walk ended, or left the rule
  for (size_t i = 0, next = 0; i < list.size(); i = next) {
    next = i + 1;
    size_t at = list.shared(i);
    if (at >= dead && left > dead) continue;  // begins as one that died inside
    if (at < dead) {
      dead = kNever;
      if (left > at) left = kNever;
      for (const char byte : list.rest(i)) {
        const int32_t place = walker.next(places[at], static_cast<uint8_t>(byte));
        ++at;
        if (place == Walker::kDead) {
          dead = at;
          break;
        }
        if (left == kNever && walker.leaves(place)) left = at;
        places[at] = place;
      }
    }
    if (dead == list.shared(i) + 1 && left > dead) next = list.next(i);
    visit(i, dead == kNever, left != kNever);
  }
}

// The tokens that an answer may have, sorted by their bytes; the first 8 decide nearly always.
std::vector<int32_t> sorted_tokens(const CompiledGrammar& grammar) {
  const Tokenizer& tokenizer = grammar.tokenizer();
  std::vector<std::pair<uint64_t, int32_t>> order;
  for (int64_t i = 0; i < tokenizer.vocab_size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (!grammar.has(id) || bytes.empty()) continue;
    uint64_t key = 0;
    for (size_t at = 0; at < 8; ++at)
      key = key << 8 | (at < bytes.size() ? static_cast<uint8_t>(bytes[at]) : 0);
    order.emplace_back(key, id);
  }
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : tokenizer.token_bytes(a.second) < tokenizer.token_bytes(b.second);
  });
  std::vector<int32_t> ids;
  for (const auto& [key, id] : order) ids.push_back(id);
  return ids;
}

}  // namespace

void TokenList::add(int32_t id, std::string_view bytes) {
  const int32_t shared = ids_.empty() ? 0 : shared_bytes(last_, bytes);
  for (; !open_.empty() && shared_[open_.back()] >= shared; open_.pop_back())
    next_[open_.back()] = size();
  open_.push_back(size());
  next_.push_back(kNever);
  ids_.push_back(id);
  shared_.push_back(shared);
  bytes_ += bytes.substr(static_cast<size_t>(shared));
  ends_.push_back(bytes_.size());
  last_ = bytes;
  longest_ = std::max(longest_, bytes.size());
}

CompiledGrammar::CompiledGrammar(const Grammar& grammar, const Tokenizer& tokenizer,
                                 std::span<const int32_t> specials)
    : tokenizer_(tokenizer),
      specials_(specials.begin(), specials.end()),
      automaton_(compile(grammar)),
      inside_(automaton_) {
  for (const int32_t id : sorted_tokens(*this)) tokens_.add(id, tokenizer.token_bytes(id));
}

bool CompiledGrammar::has(int32_t token) const {
  return !tokenizer_.is_special(token) ||
         std::find(specials_.begin(), specials_.end(), token) != specials_.end();
}

// Masks of one grammar share much of their walks: the table of steps is kept between them.
CompiledGrammar::Mask CompiledGrammar::computed(int32_t state) const {
  Mask mask;
  mask.allowed.resize(static_cast<size_t>(tokenizer_.vocab_size() + 63) / 64);
  if (inside_.size() > kMaxPlaces) inside_ = Walker(automaton_);
  walk(inside_, inside_.inside(state), tokens_, [&](size_t i, bool taken, bool left) {
    const int32_t id = tokens_.id(i);
    if (left)
      mask.open.add(id, tokenizer_.token_bytes(id));
    else if (taken)
      add(mask.allowed, id);
  });
  return mask;
}

std::shared_ptr<const CompiledGrammar::Mask> CompiledGrammar::mask(int32_t state) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = masks_.find(state); found != masks_.end()) return found->second;
  if (masks_.size() >= kMaxMasks) masks_.clear();
  return masks_[state] = std::make_shared<const Mask>(computed(state));
}

GrammarState::GrammarState(std::shared_ptr<const CompiledGrammar> grammar, Place place)
    : grammar_(std::move(grammar)),
      walker_(grammar_->automaton()),
      place_(walker_.start()),
      strip_left_(place == Place::start ? grammar_->tokenizer().strip_count() : 0) {
  REQUIRE(place_ != Walker::kDead, "nothing satisfies the grammar");
}

const GrammarState::Bits& GrammarState::allowed() {
  if (const auto found = answered_.find(place_); found != answered_.end()) return found->second;
  const std::vector<int32_t> tops = walker_.tops(place_);
  if (tops.size() == 1) {
    alone_ = grammar_->mask(tops.front());
    if (alone_->open.size() == 0) return alone_->allowed;
  }
  if (answered_.size() >= kMaxAnswered) answered_.clear();
  Bits& bits = answered_[place_];
  bits.assign(static_cast<size_t>(grammar_->tokenizer().vocab_size() + 63) / 64, 0);
  const auto take_from = [&](const TokenList& list) {
    walk(walker_, place_, list, [&](size_t i, bool taken, bool) {
      if (taken) add(bits, list.id(i));
    });
  };
  if (tops.size() > kMaxTops) {
    take_from(grammar_->tokens());
    return bits;
  }
  for (const int32_t state : tops) {
    const auto mask = grammar_->mask(state);
    for (size_t i = 0; i < bits.size(); ++i) bits[i] |= mask->allowed[i];
    take_from(mask->open);
  }
  return bits;
}

void GrammarState::judge_stripped(Bits& allowed) {
  const Tokenizer& tokenizer = grammar_->tokenizer();
  for (int64_t i = 0; i < tokenizer.vocab_size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    if (!grammar_->has(id) || !tokenizer.token_bytes(id).starts_with(tokenizer.strip())) continue;
    int64_t left = strip_left_;
    remove(allowed, id);
    if (after(id, left) != Walker::kDead) add(allowed, id);
  }
}

const GrammarState::Bits& GrammarState::allowed(std::span<const int32_t> ends, Bits& changed) {
  const Bits& bits = allowed();
  const bool has_end = can_end();
  if (strip_left_ == 0 && !has_end) return bits;
  changed = bits;
  if (strip_left_ > 0) judge_stripped(changed);
  for (const int32_t id : ends)
    if (has_end && id >= 0 && id < grammar_->tokenizer().vocab_size()) add(changed, id);
  return changed;
}

void GrammarState::mask(std::span<float> logits, std::span<const int32_t> ends) {
  Bits changed;
  require_any(keep_allowed(logits, allowed(ends, changed)));
}

int32_t GrammarState::likeliest(std::span<const float> logits, std::span<const int32_t> ends) {
  Bits changed;
  const Bits& bits = allowed(ends, changed);
  size_t best = logits.size();
  for (size_t begin = 0; begin < logits.size() && begin / 64 < bits.size(); begin += 64)
    for_bits(bits[begin / 64], [&](size_t i) {
      const size_t id = begin + i;
      if (id < logits.size() && (best == logits.size() || logits[id] > logits[best])) best = id;
    });
  require_any(best < logits.size());
  return static_cast<int32_t>(best);
}

int32_t GrammarState::after(int32_t token, int64_t& strip_left) {
  const Tokenizer& tokenizer = grammar_->tokenizer();
  int32_t place = place_;
  for (const char byte : tokenizer.stripped(tokenizer.token_bytes(token), strip_left)) {
    place = walker_.next(place, static_cast<uint8_t>(byte));
    if (place == Walker::kDead) break;
  }
  return place;
}

bool GrammarState::accept(int32_t token) {
  if (!grammar_->has(token)) return false;
  if (walker_.size() > kMaxPlaces) {
    place_ = walker_.keep_only(place_);
    answered_.clear();
  }
  int64_t strip_left = strip_left_;
  const int32_t place = after(token, strip_left);
  if (place == Walker::kDead) return false;
  place_ = place;
  strip_left_ = strip_left;
  return true;
}

}  // namespace malssi
