#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

constexpr size_t kMaxPattern = 16 * 1024;
constexpr uint32_t kMatchLimit = 10'000'000;  // steps of one match
constexpr uint32_t kDepthLimit = 100'000;
constexpr uint32_t kHeapLimit = 64 * 1024;  // KiB

template <auto free>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

// The expression with \w and \W written out.
std::string with_words(std::string_view expression) {
  constexpr std::string_view kWord =
      R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE})";
  std::string out;
  bool in_class = false;
  for (size_t at = 0; at < expression.size(); ++at) {
    const char c = expression[at];
    if (c != '\\' || at + 1 == expression.size()) {
      in_class = c == '[' || (in_class && c != ']');
      out += c;
      continue;
    }
    const char next = expression[++at];
    if (next == 'w')
      out += in_class ? std::string(kWord) : concat('[', kWord, ']');
    else if (next == 'W' && !in_class)
      out += concat("[^", kWord, ']');
    else
      out += {c, next};
  }
  return out;
}

}  // namespace

struct Regex::Compiled {
  std::string expression;
  std::unique_ptr<pcre2_code, Free<pcre2_code_free>> code;
  std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context;
  bool jit = false;

  // The next match, or {size, size}.
  std::pair<int64_t, int64_t> find(std::string_view text, int64_t from,
                                   pcre2_match_data& data) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const auto start = static_cast<PCRE2_SIZE>(from);
    int found = PCRE2_ERROR_JIT_STACKLIMIT;
    if (jit)
      found = pcre2_jit_match(code.get(), subject, text.size(), start, 0, &data, context.get());
    if (found == PCRE2_ERROR_JIT_STACKLIMIT || found == PCRE2_ERROR_JIT_BADOPTION)
      found = pcre2_match(code.get(), subject, text.size(), start,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, &data, context.get());
    const auto size = static_cast<int64_t>(text.size());
    if (found == PCRE2_ERROR_NOMATCH) return {size, size};
    REQUIRE(found >= 0, "split pattern '", expression, "' at byte ", from, ": ", message_of(found),
            "; use a pattern that backtracks less");
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(&data);
    const auto begin = static_cast<int64_t>(ends[0]), end = static_cast<int64_t>(ends[1]);
    return {begin, std::max(begin, end)};  // \K in a lookahead can put the start after the end
  }
};

Regex::Regex(std::string_view expression) : compiled_(std::make_unique<Compiled>()) {
  REQUIRE(!expression.empty(), "split pattern: empty");
  REQUIRE(is_valid_utf8(expression), "split pattern: not valid UTF-8");
  REQUIRE(expression.size() <= kMaxPattern, "split pattern: ", expression.size(),
          " bytes long, expected at most ", kMaxPattern);
  int error = 0;
  PCRE2_SIZE at = 0;
  compiled_->expression = expression;
  const std::string written_out = with_words(expression);
  compiled_->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(written_out.data()), written_out.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr));
  REQUIRE(compiled_->code, "split pattern '", expression, "': ", message_of(error),
          " at character ", at);
  compiled_->jit = pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE) == 0;
  compiled_->context.reset(pcre2_match_context_create(nullptr));
  REQUIRE(compiled_->context, "split pattern: out of memory");
  pcre2_set_match_limit(compiled_->context.get(), kMatchLimit);
  pcre2_set_depth_limit(compiled_->context.get(), kDepthLimit);
  pcre2_set_heap_limit(compiled_->context.get(), kHeapLimit);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;

const std::string& Regex::expression() const { return compiled_->expression; }

void Regex::each_match(std::string_view text, int64_t from,
                       const std::function<bool(int64_t, int64_t)>& found) const {
  const std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data(
      pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  REQUIRE(data, "split pattern: out of memory");
  const auto size = static_cast<int64_t>(text.size());
  while (from < size) {
    const auto [begin, end] = compiled_->find(text, from, *data);
    if (begin >= size) return;
    if (begin < end && !found(begin, end)) return;
    from = begin < end ? end : begin + decode_utf8(text, begin).length;
  }
}

std::string quote_regex(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    if (static_cast<uint8_t>(c) < 0x80 && !std::isalnum(static_cast<uint8_t>(c)))
      expression += '\\';
    expression += c;
  }
  return expression;
}

}  // namespace malssi
