// Constrained decoding: which tokens may come next so that an answer keeps to a grammar. A token
// may come if the grammar can still be completed after all of its bytes. For each state of the
// automaton it is computed once which tokens are taken, refused, or leave the state's rule; only the
// last few depend on the stack and are tried in each step. (The division into tokens that do and do
// not depend on the stack is that of Dong et al. 2024, XGrammar, section 3.1.)
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/walker.h"
#include "text/tokenizer.h"

namespace malssi {

// Tokens in the order of their bytes, with how many bytes each shares with the one before.
struct TokenList {
  std::vector<int32_t> ids;
  std::vector<int32_t> shared;
};

// May be shared by several threads.
class CompiledGrammar {
 public:
  // The tokenizer must outlive it. Special tokens are never part of an answer. Error: as compile().
  CompiledGrammar(const Grammar& grammar, const Tokenizer& tokenizer);

  // What holds in one state of the automaton, whatever called its rule.
  struct Mask {
    std::vector<uint64_t> allowed;  // a bit per token
    TokenList open;                 // tokens that leave the rule, so that the stack decides
  };
  std::shared_ptr<const Mask> mask(int32_t state) const;
  const Automaton& automaton() const { return automaton_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  Mask computed(int32_t state) const;

  const Tokenizer& tokenizer_;
  Automaton automaton_;
  TokenList tokens_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<int32_t, std::shared_ptr<const Mask>> masks_;
};

// Where one answer stands.
class GrammarState {
 public:
  explicit GrammarState(std::shared_ptr<const CompiledGrammar> grammar);

  // Sets the logits of all tokens that may not come next to -infinity; those of `ends` may come
  // exactly when the answer is complete. Error: none may come.
  void mask(std::span<float> logits, std::span<const int32_t> ends);
  // False, and nothing changes: the token may not come.
  bool accept(int32_t token);
  bool can_end() const { return walker_.complete(place_); }
  // Complete, and nothing more may come.
  bool must_end() const { return can_end() && walker_.tops(place_).empty(); }

 private:
  std::shared_ptr<const CompiledGrammar> grammar_;
  Walker walker_;
  int32_t place_;
  std::vector<uint64_t> allowed_;
};

}  // namespace malssi
