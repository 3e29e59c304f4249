// Grammars put together from others.
#include <gtest/gtest.h>

#include "base/random.h"
#include "text/grammar/constraint.h"

namespace malssi {
namespace {

bool takes(const Grammar& grammar, const std::string& text) {
  static const auto tokenizer = make_byte_tokenizer();
  GrammarState state(std::make_shared<const CompiledGrammar>(grammar, *tokenizer));
  for (const char c : text)
    if (!state.accept(static_cast<uint8_t>(c))) return false;
  return state.can_end();
}

TEST(TextWithout, TakesExactlyTextsThatTheMarkerDoesNotStandIn) {
  Rng rng(5);
  for (const std::string marker : {"<ab>", "[x]", "#", "<abab"}) {
    const Grammar grammar{{text_without(marker)}};
    const std::string letters = marker + "z" + marker;
    int with = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string text;
      while (rng.chance(0.9))
        text += rng.chance(0.3) ? marker.substr(0, 1 + static_cast<size_t>(rng.below(4)))
                                : std::string(1, rng.pick(letters));
      const bool stands_in = text.find(marker) != text.npos;
      with += stands_in ? 1 : 0;
      EXPECT_EQ(takes(grammar, text), !stands_in) << marker << " in " << text;
    }
    EXPECT_GT(with, 100);
  }
}

TEST(AddRules, KeepsTheRulesOfBothApart) {
  const Grammar list = gbnf_grammar("root ::= \"(\" item* \")\"\nitem ::= \"a\" | root\n");
  const Grammar other = gbnf_grammar("root ::= \"[\" item? \"]\"\nitem ::= \"b\" root\n");
  Grammar both{{nullptr}};
  const NodePtr first = add_rules(both, list), second = add_rules(both, other);
  both.rules[0] = sequence({first, literal("-"), second});
  EXPECT_TRUE(takes(both, "(a(aa))-[b[b[]]]"));
  EXPECT_FALSE(takes(both, "(b)-[]"));
  EXPECT_FALSE(takes(both, "(a)-[a]"));
}

}  // namespace
}  // namespace malssi
