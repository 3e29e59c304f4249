#include "serve/api/call_scanner.h"

#include <utility>

namespace malssi {

size_t CallScanner::push(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && state_ == State::reading) take(bytes[taken++]);
  bytes_ += bytes.substr(0, taken);
  return taken;
}

void CallScanner::add_arguments(std::string_view json) {
  arguments_ += json;
  has_arguments_ = true;
}

std::string CallScanner::take_arguments() {
  if (name_.empty()) return "";
  if (state_ == State::done && !has_arguments_) {
    has_arguments_ = true;
    return "{}";
  }
  return std::exchange(arguments_, {});
}

std::unique_ptr<CallScanner> call_scanner(ToolFormat format,
                                          std::shared_ptr<const std::vector<Tool>> functions) {
  if (format == ToolFormat::mistral_args) return named_call_scanner();
  if (format == ToolFormat::qwen_coder) return tagged_call_scanner(std::move(functions));
  return json_call_scanner();
}

}  // namespace malssi
