// Constrained decoding: which tokens may come next so that an answer keeps to a grammar. A token
// may come if the grammar can still be completed after all of its bytes. For each state of the
// automaton it is computed once which tokens are taken, refused, or leave the state's rule; only the
// last few depend on the stack and are tried in each step. (The division into tokens that do and do
// not depend on the stack is that of Dong et al. 2024, XGrammar, section 3.1.)
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/walker.h"
#include "text/tokenizer.h"

namespace malssi {

// Tokens in the order of their bytes: of each, how many bytes it shares with the one before, and the others.
class TokenList {
 public:
  // Its bytes must not come before those of the last one added.
  void add(int32_t id, std::string_view bytes);
  size_t size() const { return ids_.size(); }
  int32_t id(size_t i) const { return ids_[i]; }
  size_t shared(size_t i) const { return static_cast<size_t>(shared_[i]); }
  std::string_view rest(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  // The next token that does not share the first byte of this one's rest.
  size_t next(size_t i) const { return std::min(next_[i], size()); }
  size_t longest() const { return longest_; }

 private:
  std::vector<int32_t> ids_, shared_;
  std::vector<size_t> ends_;         // of the rests
  std::vector<size_t> next_, open_;  // open: tokens whose next one has not come yet
  std::string bytes_, last_;
  size_t longest_ = 0;
};

// May be shared by several threads.
class CompiledGrammar {
 public:
  // The tokenizer must outlive it. Special tokens are no part of an answer, but for those of `specials`, which stand for their
  // texts. Error: as compile().
  CompiledGrammar(const Grammar& grammar, const Tokenizer& tokenizer,
                  std::span<const int32_t> specials = {});

  // What holds in one state of the automaton, whatever called its rule.
  struct Mask {
    std::vector<uint64_t> allowed;  // a bit per token
    TokenList open;                 // tokens that leave the rule, so that the stack decides
  };
  std::shared_ptr<const Mask> mask(int32_t state) const;
  const Automaton& automaton() const { return automaton_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const TokenList& tokens() const { return tokens_; }  // that may be part of an answer
  // Whether it may be part of an answer at all.
  bool has(int32_t token) const;

 private:
  Mask computed(int32_t state) const;

  const Tokenizer& tokenizer_;
  std::vector<int32_t> specials_;
  Automaton automaton_;
  TokenList tokens_;
  mutable std::mutex mutex_;  // of what follows
  mutable Walker inside_;
  mutable std::unordered_map<int32_t, std::shared_ptr<const Mask>> masks_;
};

// Where one answer stands. The grammar holds for its text: what decoding drops from a text's beginning, like the space that
// SentencePiece puts there, may come before and does not count.
class GrammarState {
 public:
  // place: whether the answer begins a text.
  explicit GrammarState(std::shared_ptr<const CompiledGrammar> grammar,
                        Place place = Place::inside);

  // Sets the logits of all tokens that may not come next to -infinity; those of `ends` may come
  // exactly when the answer is complete. Error: none may come.
  void mask(std::span<float> logits, std::span<const int32_t> ends);
  // The likeliest of the tokens that mask() would leave. Error: as mask().
  int32_t likeliest(std::span<const float> logits, std::span<const int32_t> ends);
  // False, and nothing changes: the token may not come.
  bool accept(int32_t token);
  bool can_end() const { return walker_.complete(place_); }
  // Complete, and nothing more may come.
  bool must_end() const { return can_end() && walker_.tops(place_).empty(); }

 private:
  using Bits = std::vector<uint64_t>;  // one for a token

  const Bits& allowed();
  // The same with what stands at a text's beginning and end; `changed` is room for it.
  const Bits& allowed(std::span<const int32_t> ends, Bits& changed);
  // The tokens of which decoding drops something here, which the masks do not know.
  void judge_stripped(Bits& allowed);
  // The place after the token's text, or kDead.
  int32_t after(int32_t token, int64_t& strip_left);

  std::shared_ptr<const CompiledGrammar> grammar_;
  Walker walker_;
  int32_t place_;
  int64_t strip_left_;  // times that decoding may still drop its strip
  std::shared_ptr<const CompiledGrammar::Mask> alone_;  // what a state's mask alone answered last
  std::unordered_map<int32_t, Bits> answered_;          // by place: what was allowed there
};

}  // namespace malssi
