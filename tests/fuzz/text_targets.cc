// Readers of plain text: JSON, chat templates, grammars.
#include <algorithm>

#include "fuzz/seeds.h"
#include "text/chat_template.h"
#include "text/grammar/constraint.h"

namespace malssi::fuzz {

void run_json(std::string_view input) {
  const Json json = parse_json(input, "input");
  const std::string written = dump_json(json);
  CHECK(dump_json(parse_json(written, "written")) == written, "JSON does not come back as written");
}

Seeds json_seeds() {
  return {
      {"good",
       R"({"a":[1,-2.5e3,true,null,"가\u00e9\ud83d\ude00\n"],"b":{"c":{}},"":18446744073709551615})"},
      {"deep", repeated("[", 100000)},
      {"deep_objects", repeated(R"({"a":)", 100000)},
      {"key_twice", R"({"a":1,"a":2})"},
      {"half_a_pair", R"("\ud83d")"},
      {"no_text", "\"\xff\xfe\""},
      {"huge_numbers", "[1e999,-1e999,123456789012345678901234567890,1e-999]"},
      {"long_number", repeated("9", 10000)},
  };
}

void run_chat_template(std::string_view input) {
  const std::string_view source = take_part(input);
  std::vector<Message> messages;
  if (!input.empty())
    for (const Json& item : parse_json(input, "messages")) {
      if (!item.is_object() || messages.size() == 8) continue;
      messages.push_back({.role = get_or<std::string>(item, "role", "user", "messages"),
                          .content = get_or<std::string>(item, "content", "", "messages"),
                          .tool_calls = get_or<Json>(item, "tool_calls", nullptr, "messages")});
    }
  else
    messages = {{"system", "Be kind."}, {"user", "Hi <|end|>"}, {"assistant", "안녕"}};
  const ChatTemplate chat =
      ChatTemplate::from_jinja(source, "input", {.bos = "<s>", .eos = "</s>"});
  const Json tool = {{"type", "function"},
                     {"function", {{"name", "f"}, {"parameters", Json::object()}}}};
  chat.stop_tokens();
  for (const Json& tools : {Json(nullptr), Json::array({tool})})
    if (tools.is_null() || chat.style() == "jinja")
      chat.render(messages, {.add_generation_prompt = true, .tools = tools});
}

Seeds chat_template_seeds() {
  Seeds seeds{
      {"long_loop",
       "{% for a in range(99999999) %}{% for b in range(99999999) %}x{% endfor %}{% endfor %}"},
      {"doubling",
       "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a "
       "%}{% endfor %}"},
      {"repeated_text", "{{ 'x' * 999999999999 }}{{ [1] * 999999999 }}"},
      {"endless_macro", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}"},
      {"attributes",
       "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages.__init__.__globals__ }}"},
      {"deep", repeated("{{ (", 1) + repeated("(", 50000)},
      {"deep_blocks", repeated("{% if a %}", 20000)},
      {"wide_format",
       "{{ '%9999999999d' % 1 }}{{ '{:>999999999}'.format(1) }}{{ 'a'.ljust(999999999) }}"},
      {"whole_numbers",
       "{{ 9223372036854775807 + 1 }}{{ -9223372036854775808 // -1 }}{{ 1 % 0 }}{{ 2 ** 9999 }}"},
      {"slices",
       "{{ 'abc'[::-1] }}{{ 'abc'[9223372036854775807:-9223372036854775808:-1] }}{{ [1,2][::0] }}"},
      {"holds_itself",
       "{% set a = [] %}{% set _ = a.append(a) %}{{ a }}{{ a | tojson }}{{ a == a }}"},
  };
  for (const char* name :
       {"chatml", "llama2", "llama3", "mistral", "phi3", "qwen2", "qwen3", "smollm", "exaone"})
    seeds.emplace_back(concat("good_", name),
                       fixture(concat("text/fixtures/jinja/", name, ".jinja")));
  seeds.emplace_back(
      "good_messages",
      joined(
          {"{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}{% endfor %}",
           R"([{"role":"user","content":"1 + 1"},{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}])"}));
  return seeds;
}

void run_grammar(std::string_view input) {
  const std::string_view kind = take_part(input), source = take_part(input);
  const Grammar grammar = kind == "r"   ? regex_grammar(source)
                          : kind == "g" ? gbnf_grammar(source)
                                        : json_schema_grammar(parse_json(source, "schema"));
  static const auto tokenizer = make_byte_tokenizer({"<end>"});
  GrammarState state(std::make_shared<CompiledGrammar>(grammar, *tokenizer));
  const int32_t ends[] = {static_cast<int32_t>(tokenizer->vocab_size() - 1)};
  std::vector<float> logits(static_cast<size_t>(tokenizer->vocab_size()));
  const size_t steps = 32;
  for (size_t step = 0; step < steps; ++step) {
    std::fill(logits.begin(), logits.end(), 0.0f);
    state.mask(logits, ends);
    int32_t next = step < input.size() ? static_cast<uint8_t>(input[step]) : 0;
    while (next < 256 && logits[static_cast<size_t>(next)] != 0) ++next;
    if (next == 256) break;
    CHECK(state.accept(next), "a token that the mask lets pass is refused");
  }
}

Seeds grammar_seeds() {
  Seeds seeds{
      {"good_schema",
       joined(
           {"s",
            R"({"type":"object","properties":{"a":{"type":"integer","minimum":-3,"maximum":120},"b":{"enum":["x",1]}},"required":["a"]})",
            "{\"a\": 12"})},
      {"good_any",
       joined(
           {"s",
            R"({"anyOf":[{"type":"string","pattern":"^a+$"},{"type":"array","items":{"type":"number"},"maxItems":3},{"format":"date-time","type":"string"}]})",
            "[1"})},
      {"good_tree",
       joined(
           {"s",
            R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"k":{"type":"array","items":{"$ref":"#/$defs/n"}}}}}})",
            "{\"k\": [{"})},
      {"good_regex", joined({"r", "(a|bc)*[^x-z]{2,5}\\d+(?:가|\\u00e9)?", "abc"})},
      {"good_gbnf",
       joined(
           {"g", "root ::= \"a\" (b | [0-9]+) # c\nb ::= \"x\"{2,3} | \"(\" root \")\"\n", "a(a"})},
      {"refers_to_itself", joined({"s", R"({"$ref":"#"})"})},
      {"refers_in_a_ring",
       joined({"s", R"({"$ref":"#/a","a":{"$ref":"#/b"},"b":{"$ref":"#/a"}})"})},
      {"many_items",
       joined({"s", R"({"type":"array","minItems":999999999,"maxItems":9223372036854775807})"})},
      {"far_numbers",
       joined(
           {"s",
            R"({"type":"integer","minimum":-9223372036854775808,"maximum":18446744073709551615})"})},
      {"all_of_many", joined({"s", R"({"allOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]})"})},
      {"large_counts", joined({"r", "((((a{1000}){1000}){1000}){1000}){1000}"})},
      {"nested_stars", joined({"r", "((a*)*)*b", "aaaaaaaaaaaaaaaaaaaaaaaa"})},
      {"deep_regex", joined({"r", repeated("(", 100000)})},
      {"left_recursion", joined({"g", "root ::= root \"a\" | b\nb ::= root\n", "a"})},
      {"deep_gbnf", joined({"g", "root ::= " + repeated("(", 100000)})},
      {"empty_repeats", joined({"g", "root ::= (\"\"*)* ([a]*){0,99999}\n", "a"})},
      {"many_stacks", joined({"g", "root ::= a a a a a\na ::= \"x\"? a? \"y\" | \"x\"\n", "xxxx"})},
  };
  seeds.emplace_back("tower_of_stars", joined({"g", "root ::= \"a\"" + repeated("*", 200000)}));
  std::string chain = "root ::= r0\n";
  constexpr int kRules = 30000;
  for (int i = 0; i < kRules; ++i) chain += concat("r", i, " ::= r", i + 1, "\n");
  seeds.emplace_back("chain_of_rules", joined({"g", concat(chain, "r", kRules, " ::= \"\"\n")}));
  return seeds;
}

}  // namespace malssi::fuzz
