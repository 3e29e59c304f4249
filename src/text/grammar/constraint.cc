#include "text/grammar/constraint.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace malssi {
namespace {

constexpr int64_t kMaxPlaces = 16'384;  // of one answer; then its table starts anew
constexpr size_t kMaxMasks = 4'096;     // kept for one grammar
constexpr size_t kNever = std::numeric_limits<size_t>::max();

bool has(const std::vector<uint64_t>& bits, int32_t id) {
  return bits[static_cast<size_t>(id) / 64] >> (id % 64) & 1;
}
void add(std::vector<uint64_t>& bits, int32_t id) {
  bits[static_cast<size_t>(id) / 64] |= uint64_t{1} << (id % 64);
}

int32_t shared_bytes(std::string_view a, std::string_view b) {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<int32_t>(end.first - a.begin());
}

// Walks all tokens of the list from a place; visit(index, taken, left): all bytes are taken; on the
// way the rule may have been left.
template <class Visit>
void walk(Walker& walker, int32_t from, const TokenList& list, const Tokenizer& tokenizer,
          const Visit& visit) {
  std::vector<int32_t> places = {from};  // after 0, 1, .. bytes
  size_t dead = kNever, left = kNever;   // bytes after which the walk ended, or left the rule
  for (size_t i = 0; i < list.ids.size(); ++i) {
    const auto shared = static_cast<size_t>(list.shared[i]);
    if (shared >= dead && left > dead) continue;  // begins as one that died inside
    if (shared < dead) {
      dead = kNever;
      if (left > shared) left = kNever;
      places.resize(shared + 1);
      const std::string_view bytes = tokenizer.token_bytes(list.ids[i]);
      for (size_t at = shared; at < bytes.size(); ++at) {
        const int32_t place = walker.next(places.back(), static_cast<uint8_t>(bytes[at]));
        if (place == Walker::kDead) {
          dead = at + 1;
          break;
        }
        if (left == kNever && walker.leaves(place)) left = at + 1;
        places.push_back(place);
      }
    }
    visit(i, dead == kNever, left != kNever);
  }
}

}  // namespace

CompiledGrammar::CompiledGrammar(const Grammar& grammar, const Tokenizer& tokenizer)
    : tokenizer_(tokenizer), automaton_(compile(grammar)) {
  for (int64_t i = 0; i < tokenizer.vocab_size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    if (!tokenizer.is_special(id) && !tokenizer.token_bytes(id).empty()) tokens_.ids.push_back(id);
  }
  std::sort(tokens_.ids.begin(), tokens_.ids.end(), [&](int32_t a, int32_t b) {
    return tokenizer.token_bytes(a) < tokenizer.token_bytes(b);
  });
  std::string_view before;
  for (const int32_t id : tokens_.ids) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    tokens_.shared.push_back(shared_bytes(before, bytes));
    before = bytes;
  }
}

CompiledGrammar::Mask CompiledGrammar::computed(int32_t state) const {
  Mask mask;
  mask.allowed.resize(static_cast<size_t>(tokenizer_.vocab_size() + 63) / 64);
  Walker walker(automaton_);
  std::string_view before;
  walk(walker, walker.inside(state), tokens_, tokenizer_, [&](size_t i, bool taken, bool left) {
    const int32_t id = tokens_.ids[i];
    if (taken && !left) return add(mask.allowed, id);
    if (!left) return;
    const std::string_view bytes = tokenizer_.token_bytes(id);
    mask.open.ids.push_back(id);
    mask.open.shared.push_back(shared_bytes(before, bytes));
    before = bytes;
  });
  return mask;
}

std::shared_ptr<const CompiledGrammar::Mask> CompiledGrammar::mask(int32_t state) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = masks_.find(state); found != masks_.end()) return found->second;
  }
  auto made = std::make_shared<const Mask>(computed(state));
  const std::lock_guard lock(mutex_);
  if (masks_.size() >= kMaxMasks) masks_.clear();
  masks_[state] = made;
  return made;
}

GrammarState::GrammarState(std::shared_ptr<const CompiledGrammar> grammar)
    : grammar_(std::move(grammar)), walker_(grammar_->automaton()), place_(walker_.start()) {
  REQUIRE(place_ != Walker::kDead, "nothing satisfies the grammar");
}

void GrammarState::mask(std::span<float> logits, std::span<const int32_t> ends) {
  const Tokenizer& tokenizer = grammar_->tokenizer();
  allowed_.assign(static_cast<size_t>(tokenizer.vocab_size() + 63) / 64, 0);
  for (const int32_t state : walker_.tops(place_)) {
    const auto mask = grammar_->mask(state);
    for (size_t i = 0; i < allowed_.size(); ++i) allowed_[i] |= mask->allowed[i];
    walk(walker_, place_, mask->open, tokenizer, [&](size_t i, bool taken, bool) {
      if (taken) add(allowed_, mask->open.ids[i]);
    });
  }
  if (can_end())
    for (const int32_t id : ends)
      if (id >= 0 && id < tokenizer.vocab_size()) add(allowed_, id);
  const auto count = std::min(logits.size(), static_cast<size_t>(tokenizer.vocab_size()));
  bool any = false;
  for (size_t i = 0; i < count; ++i) {
    if (has(allowed_, static_cast<int32_t>(i)))
      any = true;
    else
      logits[i] = -std::numeric_limits<float>::infinity();
  }
  std::fill(logits.begin() + static_cast<std::ptrdiff_t>(count), logits.end(),
            -std::numeric_limits<float>::infinity());
  REQUIRE(any, "the grammar allows nothing that this tokenizer can say next");
}

bool GrammarState::accept(int32_t token) {
  if (grammar_->tokenizer().is_special(token)) return false;
  if (walker_.size() > kMaxPlaces) place_ = walker_.keep_only(place_);
  int32_t place = place_;
  for (const char byte : grammar_->tokenizer().token_bytes(token)) {
    place = walker_.next(place, static_cast<uint8_t>(byte));
    if (place == Walker::kDead) return false;
  }
  place_ = place;
  return true;
}

}  // namespace malssi
