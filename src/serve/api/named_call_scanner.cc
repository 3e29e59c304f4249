#include "serve/api/call_scanner.h"

namespace malssi {
namespace {

constexpr std::string_view kArguments = "[ARGS]", kId = "[CALL_ID]";
constexpr size_t kLongestHead = 256;  // of name and id

class NamedCallScanner final : public CallScanner {
 private:
  void take(char c) override {
    if (name().empty())
      in_head(c);
    else
      in_arguments(c);
  }

  void in_head(char c) {
    head_ += c;
    if (head_.ends_with(kArguments)) {
      const std::string whole = head_.substr(0, head_.find('['));
      const bool has_id = head_.compare(whole.size(), kId.size(), kId) == 0;
      const bool is_plain = has_id || head_.size() == whole.size() + kArguments.size();
      if (whole.empty() || !is_plain) return end(State::broken);
      call(whole);
    } else if (head_.size() > kLongestHead || c == '{' || c == '\n' || head_ == "[") {
      end(State::broken);
    }
  }

  void in_arguments(char c) {
    const bool is_inside = depth_ > 0;
    if (!is_inside && c != '{') {
      if (c != ' ' && c != '\n') end(State::broken);
      return;
    }
    add_arguments({&c, 1});
    if (in_string_) {
      in_string_ = c != '"' || escaped_;
      escaped_ = c == '\\' && !escaped_;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      end(State::done);
    }
  }

  std::string head_;
  int64_t depth_ = 0;  // of brackets
  bool in_string_ = false, escaped_ = false;
};

}  // namespace

std::unique_ptr<CallScanner> named_call_scanner() { return std::make_unique<NamedCallScanner>(); }

}  // namespace malssi
