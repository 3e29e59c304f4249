#include "cli/grammar_flags.h"

#include "base/file.h"
#include "text/grammar/grammar.h"

namespace malssi {
namespace {

constexpr int64_t kMaxFile = int64_t{1} << 20;

// A schema stands on the command line or in a file.
Grammar schema_grammar(const std::string& given) {
  const size_t first = given.find_first_not_of(" \t\r\n");
  const bool inlined = first != given.npos && (given[first] == '{' || given == "true");
  return json_schema_grammar(inlined ? parse_json(given, "--json-schema")
                                     : parse_json(read_file(given, kMaxFile), given));
}

}  // namespace

void GrammarFlags::add_to(CLI::App& command) {
  const std::string group = "What the answer may be";
  auto* schema = command
                     .add_option("--json-schema", json_schema_,
                                 "JSON that fits this schema: a file, or the schema itself")
                     ->type_name("FILE|JSON")
                     ->group(group);
  auto* regex =
      command.add_option("--regex", regex_, "a text that matches the expression as a whole")
          ->type_name("RE")
          ->group(group)
          ->excludes(schema);
  command
      .add_option("--grammar", grammar_, "a text of this grammar (GBNF, as llama.cpp writes them)")
      ->type_name("FILE")
      ->group(group)
      ->excludes(schema)
      ->excludes(regex);
}

std::shared_ptr<const CompiledGrammar> GrammarFlags::compiled(const Tokenizer& tokenizer) const {
  if (!given()) return nullptr;
  const Grammar grammar = !json_schema_.empty() ? schema_grammar(json_schema_)
                          : !regex_.empty()     ? regex_grammar(regex_)
                                                : gbnf_grammar(read_file(grammar_, kMaxFile));
  return std::make_shared<const CompiledGrammar>(grammar, tokenizer);
}

}  // namespace malssi
