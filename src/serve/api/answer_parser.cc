#include "serve/api/answer_parser.h"

#include <algorithm>

namespace malssi {
namespace {

constexpr std::string_view kThink = "<think>", kThought = "</think>", kCallEnd = "</tool_call>";
constexpr std::string_view kBlanks = " \t\r\n";
using Kind = AnswerPart::Kind;

// Bytes at the text's end that may become the marker.
size_t begun(std::string_view text, std::string_view marker) {
  if (marker.empty()) return 0;
  for (size_t n = std::min(marker.size() - 1, text.size()); n > 0; --n)
    if (text.substr(text.size() - n) == marker.substr(0, n)) return n;
  return 0;
}

bool may_begin_with(std::string_view text, std::string_view marker) {
  return text.size() < marker.size() && marker.starts_with(text);
}

// Bytes of the text without the blanks at its end.
size_t without_blanks(std::string_view text) { return text.find_last_not_of(kBlanks) + 1; }

void add(std::vector<AnswerPart>& parts, Kind kind, std::string_view text, int64_t call = 0) {
  if (!text.empty() || kind == Kind::call)
    parts.push_back({.kind = kind, .text = std::string(text), .call = call});
}

}  // namespace

AnswerParser::AnswerParser(const AnswerForm& form) : form_(form) {
  if (form.is_thinking)
    place_ = Place::thinking;
  else if (form.is_calling)
    place_ = Place::before_call;
  else if (!form.may_think)
    place_ = Place::answer_start;
}

std::vector<AnswerPart> AnswerParser::push(std::string_view text) {
  std::vector<AnswerPart> parts;
  held_ += text;
  while (!held_.empty() && step(parts)) {
  }
  return parts;
}

std::vector<AnswerPart> AnswerParser::finish() {
  std::vector<AnswerPart> parts;
  if (place_ == Place::answer_start && form_.may_think) skip_blank();
  if (place_ == Place::call && !is_named_)
    add(parts, Kind::content, scanner_->bytes());
  else if (place_ == Place::thinking)
    add(parts, Kind::reasoning, held_.substr(0, without_blanks(held_)));
  else if (place_ == Place::start || place_ == Place::answer_start || place_ == Place::content)
    add(parts, Kind::content, calls_ > 0 ? held_.substr(0, without_blanks(held_)) : held_);
  held_.clear();
  return parts;
}

bool AnswerParser::step(std::vector<AnswerPart>& parts) {
  switch (place_) {
    case Place::start:
      return at_start();
    case Place::thinking:
      return think(parts);
    case Place::answer_start:
      return at_answer_start();
    case Place::content:
      return speak(parts);
    case Place::before_call:
      return before_call(parts);
    case Place::call:
      return call(parts);
    case Place::after_call:
      return after_call();
  }
  return false;
}

bool AnswerParser::at_start() {
  const size_t first = std::min(held_.find_first_not_of(kBlanks), held_.size());
  const std::string_view text = std::string_view(held_).substr(first);
  if (may_begin_with(text, kThink)) return false;
  if (text.starts_with(kThink)) {
    held_.erase(0, first + kThink.size());
    place_ = Place::thinking;
  } else {
    place_ = Place::answer_start;
  }
  return true;
}

bool AnswerParser::think(std::vector<AnswerPart>& parts) {
  if (!has_thought_) skip_blank();
  const size_t end = held_.find(kThought);
  if (end != held_.npos) {
    add(parts, Kind::reasoning, held_.substr(0, without_blanks(held_.substr(0, end))));
    held_.erase(0, end + kThought.size());
    skip_blank();
    place_ = Place::answer_start;
    return true;
  }
  std::string_view sure = held_;
  sure.remove_suffix(begun(sure, kThought));
  sure = sure.substr(0, without_blanks(sure));
  if (sure.empty()) return false;
  const size_t length = sure.size();
  add(parts, Kind::reasoning, sure);
  held_.erase(0, length);
  has_thought_ = true;
  return false;
}

// Llama 3 calls with its first character.
bool AnswerParser::at_answer_start() {
  const size_t first = held_.find_first_not_of(kBlanks);
  const bool is_llama3 = form_.tools == ToolFormat::llama3;
  if ((form_.may_think || is_llama3) && first == held_.npos) return false;
  place_ = is_llama3 && held_[first] == '{' ? Place::before_call : Place::content;
  if (form_.may_think) held_.erase(0, first);
  return true;
}

bool AnswerParser::speak(std::vector<AnswerPart>& parts) {
  if (follows_call_) {
    skip_blank();
    if (held_.empty()) return false;
    follows_call_ = false;
  }
  const std::string_view marker = form_.tools ? tool_marker(*form_.tools) : "";
  if (marker.empty()) {
    add(parts, Kind::content, held_);
    held_.clear();
    return false;
  }
  const size_t at = held_.find(marker);
  if (at != held_.npos) {
    add(parts, Kind::content, held_.substr(0, without_blanks(held_.substr(0, at))));
    held_.erase(0, at + marker.size());
    place_ = Place::before_call;
    return true;
  }
  std::string_view sure = held_;
  sure.remove_suffix(begun(sure, marker));
  sure = sure.substr(0, without_blanks(sure));
  const size_t length = sure.size();
  add(parts, Kind::content, sure);
  held_.erase(0, length);
  return false;
}

bool AnswerParser::before_call(std::vector<AnswerPart>&) {
  skip_blank();
  if (form_.tools == ToolFormat::mistral && !is_listed_ && held_.starts_with('[')) {
    held_.erase(0, 1);
    is_listed_ = true;
    skip_blank();
  }
  if (held_.empty()) return false;
  is_listed_ = false;
  scanner_ = call_scanner(*form_.tools, form_.functions);
  is_named_ = false;
  place_ = Place::call;
  return true;
}

bool AnswerParser::call(std::vector<AnswerPart>& parts) {
  held_.erase(0, scanner_->push(held_));
  if (scanner_->state() == CallScanner::State::broken && scanner_->name().empty()) {
    held_.insert(0, scanner_->bytes());
    form_.tools.reset();  // what looked like a call is none: the rest is text
    place_ = Place::content;
    return true;
  }
  if (!is_named_ && !scanner_->name().empty()) {
    add(parts, Kind::call, scanner_->name(), calls_++);
    is_named_ = true;
  }
  if (is_named_) add(parts, Kind::arguments, scanner_->take_arguments(), calls_ - 1);
  if (scanner_->state() == CallScanner::State::reading) return false;
  place_ = Place::after_call;
  follows_call_ = true;
  return true;
}

// Another call, or what closes them, or text again.
bool AnswerParser::after_call() {
  skip_blank();
  if (held_.empty()) return false;
  if (form_.tools == ToolFormat::hermes || form_.tools == ToolFormat::qwen_coder) {
    if (may_begin_with(held_, kCallEnd)) return false;
    if (held_.starts_with(kCallEnd)) held_.erase(0, kCallEnd.size());
    place_ = Place::content;
    return true;
  }
  if (form_.tools == ToolFormat::mistral_args) {  // another call has a marker of its own
    place_ = Place::content;
    return true;
  }
  if (held_.front() == ',' || held_.front() == ';') {
    held_.erase(0, 1);
    place_ = Place::before_call;
    return true;
  }
  if (held_.front() == ']') held_.erase(0, 1);
  place_ = Place::content;
  return true;
}

void AnswerParser::skip_blank() {
  held_.erase(0, std::min(held_.find_first_not_of(kBlanks), held_.size()));
}

}  // namespace malssi
