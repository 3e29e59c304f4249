// The flags that hold an answer to a grammar: --json-schema, --regex, --grammar.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "text/grammar/constraint.h"

namespace malssi {

class GrammarFlags {
 public:
  // Registers the flags; this must live until the command has run.
  void add_to(CLI::App& command);
  // Null where none was given. Error: what is wrong with the grammar.
  std::shared_ptr<const CompiledGrammar> compiled(const Tokenizer& tokenizer) const;
  bool given() const { return !json_schema_.empty() || !regex_.empty() || !grammar_.empty(); }

 private:
  std::string json_schema_, regex_, grammar_;
};

}  // namespace malssi
