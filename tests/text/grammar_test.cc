// Grammars, and the tokens they allow: every answer of a model that says anything at all keeps to
// the grammar.
#include <gtest/gtest.h>

#include <chrono>

#include "base/json.h"
#include "scratch.h"
#include "text/grammar/constraint.h"
#include "text/grammar_tools.h"
#include "text/text_tools.h"

namespace malssi {
namespace {

bool takes(const Grammar& grammar, std::string_view text) {
  const Automaton automaton = compile(grammar);
  Walker walker(automaton);
  int32_t place = walker.start();
  for (const char byte : text) {
    if (place == Walker::kDead) return false;
    place = walker.next(place, static_cast<uint8_t>(byte));
  }
  return place != Walker::kDead && walker.complete(place);
}

struct Case {
  const char* grammar;
  std::vector<const char*> good, bad;
};

TEST(Grammar, RegularExpressionsMatchAsAWhole) {
  const Case cases[] = {
      {"ab|c", {"ab", "c"}, {"", "a", "abc"}},
      {"^a*b+c?$", {"b", "aabbc"}, {"a", "bcc"}},
      {"a{2}(bc){1,2}d{1,}", {"aabcd", "aabcbcdd"}, {"abcd", "aad", "aabcbcbcd"}},
      {"[a-c\\-x]+", {"abc-x"}, {"d", ""}},
      {"[^a]", {"b", "가", "😀"}, {"a", "bb", "\n\n"}},
      {"\\d+\\.\\w\\s\\D", {"12.a x"}, {"12.a 1", "12xa x"}},
      {"[가-힣]{2,3}", {"한국", "말씨는"}, {"한", "ab", "漢字"}},
      {"\\x41\\uac00.", {"A가b"}, {"A가\n", "A가"}},
      {"(?:a|b(c|d))*", {"", "abcabd"}, {"b"}},
      {"[\\]\\\\]", {"]", "\\"}, {"["}},
      {"", {""}, {"a"}},
  };
  for (const Case& one : cases) {
    for (const char* text : one.good)
      EXPECT_TRUE(takes(regex_grammar(one.grammar), text)) << one.grammar << " " << text;
    for (const char* text : one.bad)
      EXPECT_FALSE(takes(regex_grammar(one.grammar), text)) << one.grammar << " " << text;
  }
}

TEST(Grammar, EveryCharacterRangeBecomesItsBytes) {
  Rng rng(5);
  for (int trial = 0; trial < 200; ++trial) {
    int32_t first = random_scalar(rng), last = random_scalar(rng);
    if (first > last) std::swap(first, last);
    const Automaton automaton = compile({.rules = {characters({{first, last}})}});
    Walker walker(automaton);
    for (const int32_t c :
         {first, last, first - 1, last + 1, random_scalar(rng), random_scalar(rng)}) {
      if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) continue;
      int32_t place = walker.start();
      for (const char byte : to_utf8(c))
        if (place != Walker::kDead) place = walker.next(place, static_cast<uint8_t>(byte));
      EXPECT_EQ(place != Walker::kDead && walker.complete(place), c >= first && c <= last)
          << first << " " << c << " " << last;
    }
  }
}

TEST(Grammar, ReadsGbnf) {
  const char* sums =
      "# sums\nroot ::= term ( \"+\" term )*\nterm ::= number | \"(\" root \")\"\n"
      "number ::= [0-9]{1,2}\n  | \"x\" # unknown\n";
  const Case cases[] = {
      {sums, {"1+2", "(12+x)+(3)", "x"}, {"", "1+", "123", "(1"}},
      {"root ::= \"\\\"\" [^\"\\\\\\n]* \"\\\"\"", {"\"가나\"", "\"\""}, {"\"", "\"\n\""}},
      {"root ::= a a? a*\na ::= . b\nb ::= \"\" | \"b\"", {"x", "xbyz"}, {""}},
      {"root ::= (\n  \"a\"\n  | \"b\"\n)+\n", {"abba"}, {"c"}},
      {"root ::= \"\\x41\\uAC00\" [\\]a-]", {"A가]", "A가-"}, {"A가b"}},
  };
  for (const Case& one : cases) {
    for (const char* text : one.good)
      EXPECT_TRUE(takes(gbnf_grammar(one.grammar), text)) << one.grammar << " " << text;
    for (const char* text : one.bad)
      EXPECT_FALSE(takes(gbnf_grammar(one.grammar), text)) << one.grammar << " " << text;
  }
}

TEST(Grammar, JsonSchemasAllowWhatTheySay) {
  const Case cases[] = {
      {R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["b"]})",
       {R"({"a": 1, "b": "x"})", R"({"b":"x"})"},
       {R"({"a": 1})", "{}", R"({"b": "x", "a": 1})", R"({"b": "x", "c": 1})",
        R"({"a": 1,"b": 2})"}},
      {R"({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "null"}})",
       {"{}", R"({"a": [1, {"x": true}], "b": null})", R"({"ab": null, "": null})"},
       {R"({"b": null, "a": 1})", R"({"a": 1, "a": null})", R"({"b": 1})"}},
      {R"({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2})",
       {"[true]", "[true, false]"},
       {"[]", "[true,true,true]", "[1]"}},
      {R"({"prefixItems": [{"const": 1}, {"enum": ["x", null]}], "items": false})",
       {"[]", "[1]", R"([1, "x"])", "[1,null]"},
       {"[2]", "[1, 1]", "[1, null, 1]"}},
      {R"({"type": "integer", "minimum": -12, "maximum": 134})",
       {"0", "-12", "134", "99", "-1", "100"},
       {"-13", "135", "-0", "01", "1.0", "200", "999"}},
      {R"({"type": "integer", "exclusiveMinimum": 9, "exclusiveMaximum": 12})",
       {"10", "11"},
       {"9", "12", "1"}},
      {R"({"type": "number"})", {"-1.5e10", "0", "12.25"}, {"01", "1.", ".5", "+1"}},
      {R"({"type": "string", "minLength": 2, "maxLength": 3})",
       {R"("가나")", R"("\n\u0041")", R"("abc")"},
       {R"("a")", R"("abcd")", R"("\ud800xx")", R"("ab)"}},
      {R"({"pattern": "^a\"+\\\\$"})", {R"("a\"\\")"}, {R"("a\\")", R"("ba\"\\")"}},
      {R"({"pattern": "b"})", {R"("abc")", R"("b")"}, {R"("ac")"}},
      {R"({"format": "date"})", {R"("2026-02-28")"}, {R"("2026-02-30")", R"("2026-13-01")"}},
      {R"({"format": "date-time"})", {R"("2026-11-21T09:00:00Z")"}, {R"("2026-11-21 09:00:00Z")"}},
      {R"({"format": "uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"}, {R"("123e4567")"}},
      {R"({"type": ["string", "null"]})", {"null", R"("x")"}, {"1"}},
      {R"({"type": "integer", "enum": [1, "a", 2.5]})", {"1"}, {"2", "2.5"}},
      {R"({"anyOf": [{"type": "integer"}, {"const": [1, {"a": "b"}]}]})",
       {"7", R"([1,{"a":"b"}])"},
       {"null"}},
      {R"({"oneOf": [{"type": "null"}, {"type": "boolean"}]})", {"null", "true"}, {"1"}},
      {R"({"allOf": [{"properties": {"a": {"minimum": 3}}, "required": ["a"]},
                     {"properties": {"a": {"maximum": 4}, "b": {"type": "null"}}}]})",
       {R"({"a": 3})", R"({"a": 4, "b": null})"},
       {"{}", R"({"a": 5})"}},
      {R"({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
            "v": {"type": "integer"}, "sub": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
            "required": ["v"]}}})",
       {R"({"v": 1})", R"({"v": 1, "sub": [{"v": 2, "sub": []}, {"v": 3}]})"},
       {"{}", R"({"v": 1, "sub": [1]})"}},
      {"{}", {"null", R"({"a": [1, "x", {"b": []}]})"}, {"nul", "[1,]"}},
  };
  for (const Case& one : cases) {
    const Json schema = parse_json(one.grammar, "schema");
    const Grammar grammar = json_schema_grammar(schema);
    for (const char* text : one.good) {
      EXPECT_TRUE(takes(grammar, text)) << one.grammar << " " << text;
      EXPECT_TRUE(satisfies(schema, schema, Json::parse(text))) << one.grammar << " " << text;
    }
    for (const char* text : one.bad)
      EXPECT_FALSE(takes(grammar, text)) << one.grammar << " " << text;
  }
}

// An answer of a model whose logits mean nothing, helped towards an end after a while.
std::string random_answer(const std::shared_ptr<const CompiledGrammar>& grammar, Rng& rng,
                          int32_t end, const std::vector<int32_t>& closing) {
  GrammarState state(grammar);
  const Tokenizer& tokenizer = grammar->tokenizer();
  std::string text;
  std::vector<float> logits(static_cast<size_t>(tokenizer.vocab_size()));
  for (int step = 0; step < 2000; ++step) {
    for (float& x : logits) x = static_cast<float>(rng.uniform());
    logits[static_cast<size_t>(end)] = step > 20 ? 4.f : 0.f;
    if (step > 20)
      for (const int32_t id : closing) logits[static_cast<size_t>(id)] += 2.f;
    state.mask(logits, std::vector<int32_t>{end});
    const auto best =
        static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    if (best == end) {
      EXPECT_TRUE(state.can_end());
      return text;
    }
    EXPECT_TRUE(state.accept(best));
    text += tokenizer.token_bytes(best);
    if (state.must_end()) return text;
  }
  ADD_FAILURE() << "no end: " << text.substr(0, 200);
  return text;
}

class Constrained : public testing::Test {
 protected:
  void SetUp() override {
    BpeTrainOptions options{.vocab_size = 1000, .special = {"<|end|>"}};
    tokenizer_ = train_bpe(
        TextSource([](const auto& use) { use(training_text() + json_like_text()); }), options);
    end_ = *tokenizer_->token_id("<|end|>");
    for (const char* text : {"\"", "}", "]", ",", "0", "e", "l"})
      if (const auto id = tokenizer_->token_id(text)) closing_.push_back(*id);
  }
  std::unique_ptr<Tokenizer> tokenizer_;
  int32_t end_ = -1;
  std::vector<int32_t> closing_;
};

TEST_F(Constrained, AThousandRandomSchemasAreAlwaysKept) {
  Rng rng(11);
  int64_t compiled = 0, characters = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    const Json schema = random_schema(rng, 0);
    SCOPED_TRACE(dump_json(schema));
    const auto grammar =
        std::make_shared<const CompiledGrammar>(json_schema_grammar(schema), *tokenizer_);
    const std::string text = random_answer(grammar, rng, end_, closing_);
    const Json value = Json::parse(text, nullptr, false);
    ASSERT_FALSE(value.is_discarded()) << text;
    ASSERT_TRUE(satisfies(schema, schema, value)) << text;
    ++compiled;
    characters += static_cast<int64_t>(text.size());
  }
  EXPECT_EQ(compiled, 1000);
  EXPECT_GT(characters, 10'000);
}

TEST_F(Constrained, MasksAreThoseOfTryingEveryToken) {
  Rng rng(13);
  for (int trial = 0; trial < 42; ++trial) {
    const Json schema = random_schema(rng, 0);
    const Grammar tried = trial == 40   ? regex_grammar("x(an?|){40}y")  // many ways at once
                          : trial == 41 ? regex_grammar("(.|){70}")
                                        : json_schema_grammar(schema);
    const auto grammar = std::make_shared<const CompiledGrammar>(tried, *tokenizer_);
    GrammarState state(grammar);
    Walker walker(grammar->automaton());
    int32_t place = walker.start();
    for (int step = 0; step < 30 && !state.must_end(); ++step) {
      std::vector<float> logits(static_cast<size_t>(tokenizer_->vocab_size()), 0.f);
      state.mask(logits, std::vector<int32_t>{end_});
      std::vector<int32_t> allowed;
      for (int32_t id = 0; id < tokenizer_->vocab_size(); ++id) {
        int32_t after = tokenizer_->is_special(id) || tokenizer_->token_bytes(id).empty()
                            ? Walker::kDead
                            : place;
        for (const char byte : tokenizer_->token_bytes(id))
          if (after != Walker::kDead) after = walker.next(after, static_cast<uint8_t>(byte));
        const bool fits = id == end_ ? walker.complete(place) : after != Walker::kDead;
        ASSERT_EQ(logits[static_cast<size_t>(id)] == 0.f, fits)
            << trial << ": " << dump_json(schema) << " token " << tokenizer_->token_bytes(id);
        if (fits && id != end_) allowed.push_back(id);
      }
      const int32_t next = rng.pick(allowed);
      ASSERT_TRUE(state.accept(next));
      for (const char byte : tokenizer_->token_bytes(next))
        place = walker.next(place, static_cast<uint8_t>(byte));
    }
  }
}

TEST_F(Constrained, RefusesTokensThatDoNotFit) {
  GrammarState state(std::make_shared<const CompiledGrammar>(regex_grammar("ab"), *tokenizer_));
  EXPECT_FALSE(state.accept(end_));
  EXPECT_FALSE(state.accept(*tokenizer_->token_id("b")));
  EXPECT_TRUE(state.accept(*tokenizer_->token_id("a")));
  EXPECT_FALSE(state.can_end());
  EXPECT_TRUE(state.accept(*tokenizer_->token_id("b")));
  EXPECT_TRUE(state.must_end());
}

TEST_F(Constrained, LongAnswersTakeBoundedMemory) {
  const auto grammar = std::make_shared<const CompiledGrammar>(
      gbnf_grammar("root ::= \"(\" root \")\" | [a-z]{0,9000}"), *tokenizer_);
  GrammarState state(grammar);
  const int32_t open = *tokenizer_->token_id("("), letter = *tokenizer_->token_id("a");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(state.accept(open));
  for (int i = 0; i < 9000; ++i) ASSERT_TRUE(state.accept(letter)) << i;
  EXPECT_FALSE(state.accept(letter));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(state.accept(*tokenizer_->token_id(")")));
  EXPECT_TRUE(state.must_end());
}

TEST(Grammar, ErrorsOfRegularExpressionsSayWhatIsWrong) {
  const std::pair<const char*, const char*> regexes[] = {{"(a", "not closed"},
                                                         {"a)", "unexpected ')'"},
                                                         {"*a", "not supported here"},
                                                         {"a**", "one repetition after another"},
                                                         {"a+?", "lazy"},
                                                         {"(?=a)", "only (?:..)"},
                                                         {"\\b", "\\b is not supported"},
                                                         {"\\1", "not supported"},
                                                         {"[b-a]", "range"},
                                                         {"[a", "ends too early"},
                                                         {"a{3,2}", "3 to 2"},
                                                         {"a{99999}", "more than"},
                                                         {"^a|b$", "ambiguous"},
                                                         {"\xff", "not UTF-8"},
                                                         {"(a{9999}){9999}", "states"},
                                                         {"((){9999}){9999}", "repeats too much"}};
  for (const auto& [pattern, what] : regexes) {
    const std::string message = error_of([p = pattern] { compile(regex_grammar(p)); });
    EXPECT_TRUE(is_one_line(message) && contains(message, what)) << pattern << ": " << message;
  }
}

TEST(Grammar, ErrorsOfGbnfSayWhatIsWrong) {
  const std::pair<const char*, const char*> grammars[] = {
      {"", "'root' is not defined"},
      {"root ::= a", "'a' is not defined"},
      {"root ::= root \"a\"", "left-recursive"},
      {"root ::= a root\na ::= \"\"", "left-recursive"},
      {"root = \"a\"", "line 1: expected ::="},
      {"root ::= \"a\nb\"", "a line ends"},
      {"root ::= \"a\"\nroot ::= \"b\"", "line 2: a rule is defined twice"},
      {"root ::= (\"a\"", "not closed"},
      {"root ::= \"\\q\"", "\\q is not known"},
      {"root ::= [z-a]", "range"}};
  for (const auto& [text, what] : grammars) {
    const std::string message = error_of([t = text] { compile(gbnf_grammar(t)); });
    EXPECT_TRUE(is_one_line(message) && contains(message, what)) << text << ": " << message;
  }
}

TEST(Grammar, ErrorsOfJsonSchemasSayWhatIsWrong) {
  const std::pair<const char*, const char*> schemas[] = {
      {"false", "allows nothing"},
      {"1", "expected an object"},
      {R"({"not": {}})", "\"not\" is not supported"},
      {R"({"type": "thing"})", "unknown"},
      {R"({"multipleOf": 3})", "not supported"},
      {R"({"uniqueItems": true})", "not supported"},
      {R"({"$ref": "http://x"})", "points outside"},
      {R"({"$ref": "#/no"})", "points to nothing"},
      {R"({"$ref": "#"})", "left-recursive"},
      {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "at once"},
      {R"({"type": "integer", "minimum": 5, "maximum": 4})", "no integer"},
      {R"({"minItems": 3, "maxItems": 1})", "no list"},
      {R"({"enum": []})", "is left"},
      {R"({"format": "email"})", "\"email\" is not supported"},
      {R"({"pattern": "a", "minLength": 3})", "only one"},
      {R"({"type": "number", "maximum": 3})", "not supported"},
      {R"({"allOf": [{"pattern": "a"}, {"pattern": "b"}]})", "cannot be merged"},
      {R"({"minLength": 99999999})", "expected 0 to"},
      {R"({"allOf": [{"$ref": "#"}]})", "nested deeper"},
      {R"({"properties": {"a": {"minItems": 9999, "items": {"minItems": 9999, "items": {}}}}})",
       ""}};
  for (const auto& [text, what] : schemas) {
    const Json schema = parse_json(text, "schema");
    const std::string message = error_of([&] { compile(json_schema_grammar(schema)); });
    EXPECT_TRUE(contains(message, what)) << text << ": " << message;
  }
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += R"({"items": )";
  deep += "{}" + std::string(60, '}');
  EXPECT_EQ(error_of([&] { compile(json_schema_grammar(parse_json(deep, "schema"))); }), "");
}

}  // namespace
}  // namespace malssi
