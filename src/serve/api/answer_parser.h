// Takes a model's answer apart as it is written: what it thought (between <think> and </think>), what it says, and the tools it
// calls. Text that may still become a tag is held back until that is decided.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/api/call_scanner.h"
#include "serve/api/tool_format.h"

namespace malssi {

struct AnswerPart {
  enum class Kind { reasoning, content, call, arguments };
  Kind kind = Kind::content;
  std::string text;  // of a call: the function's name
  int64_t call = 0;  // of a call and its arguments: its number in the answer
};

struct AnswerForm {
  bool may_think = false;                                   // the template has these tags
  bool is_thinking = false;                                 // the prompt ends with <think>
  std::optional<ToolFormat> tools = {};                     // calls are looked for
  std::shared_ptr<const std::vector<Tool>> functions = {};  // that they may be of; null: unknown
  bool is_calling = false;  // the prompt ends with what calls begin with
};

class AnswerParser {
 public:
  explicit AnswerParser(const AnswerForm& form);
  std::vector<AnswerPart> push(std::string_view text);
  // The answer is over.
  std::vector<AnswerPart> finish();
  int64_t calls() const { return calls_; }

 private:
  enum class Place { start, thinking, answer_start, content, before_call, call, after_call };

  // Each goes one step on; false: it needs more text for that.
  bool step(std::vector<AnswerPart>& parts);
  bool at_start();
  bool at_answer_start();
  bool think(std::vector<AnswerPart>& parts);
  bool speak(std::vector<AnswerPart>& parts);
  bool before_call(std::vector<AnswerPart>& parts);
  bool call(std::vector<AnswerPart>& parts);
  bool after_call();
  void skip_blank();
  void take_calls(std::vector<AnswerPart>& parts);

  AnswerForm form_;
  Place place_ = Place::start;
  std::string held_;
  std::unique_ptr<CallScanner> scanner_;  // of the call that was begun last
  bool has_thought_ = false;              // and told some of it
  bool is_listed_ = false;                // the bracket before Mistral's first call was read
  bool is_named_ = false;                 // the call was told
  bool follows_call_ = false;             // so that blanks before the text do not count
  int64_t calls_ = 0;
};

}  // namespace malssi
