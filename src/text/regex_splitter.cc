// Split patterns through PCRE2. It reads \s as White_Space and, unlike Hugging Face's engine,
// U+180E.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "base/error.h"
#include "text/splitter.h"
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

class RegexSplitter : public Splitter {
 public:
  explicit RegexSplitter(std::string pattern) : pattern_(std::move(pattern)) {
    REQUIRE(is_valid_utf8(pattern_), "split pattern: not valid UTF-8");
    REQUIRE(pattern_.size() <= kMaxPattern, "split pattern: ", pattern_.size(),
            " bytes long, expected at most ", kMaxPattern);
    int error = 0;
    PCRE2_SIZE at = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern_.data()), pattern_.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                              nullptr));
    REQUIRE(code_, "split pattern '", pattern_, "': ", message_of(error), " at character ", at);
    jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;
    context_.reset(pcre2_match_context_create(nullptr));
    REQUIRE(context_, "split pattern: out of memory");
    pcre2_set_match_limit(context_.get(), kMatchLimit);
    pcre2_set_depth_limit(context_.get(), kDepthLimit);
    pcre2_set_heap_limit(context_.get(), kHeapLimit);
  }

  int64_t split(std::string_view text, int64_t from, std::span<int64_t> ends) const override {
    std::unique_ptr<pcre2_match_data, Free<pcre2_match_data_free>> data(
        pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    REQUIRE(data, "split pattern: out of memory");
    const auto size = static_cast<int64_t>(text.size());
    const auto room = static_cast<int64_t>(ends.size());
    int64_t count = 0, at = from, search = from;
    while (at < size && count + 2 <= room) {
      auto [begin, end] = find(text, search, *data);
      if (begin == end) {  // nothing found, or an empty match, which splits nothing
        if (begin < size) search = begin + decode_utf8(text, begin).length;
        if (begin < size && search < size) continue;
        begin = end = size;
      }
      if (begin > at) ends[static_cast<size_t>(count++)] = begin;
      if (begin < end) ends[static_cast<size_t>(count++)] = end;
      at = search = end;
    }
    return count;
  }

 private:
  // The next match, or {size, size}.
  std::pair<int64_t, int64_t> find(std::string_view text, int64_t from,
                                   pcre2_match_data& data) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const auto start = static_cast<PCRE2_SIZE>(from);
    int found = PCRE2_ERROR_JIT_STACKLIMIT;
    if (jit_)
      found = pcre2_jit_match(code_.get(), subject, text.size(), start, 0, &data, context_.get());
    if (found == PCRE2_ERROR_JIT_STACKLIMIT || found == PCRE2_ERROR_JIT_BADOPTION)
      found = pcre2_match(code_.get(), subject, text.size(), start,
                          PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, &data, context_.get());
    const auto size = static_cast<int64_t>(text.size());
    if (found == PCRE2_ERROR_NOMATCH) return {size, size};
    REQUIRE(found >= 0, "split pattern '", pattern_, "' at byte ", from, ": ", message_of(found),
            "; use a pattern that backtracks less");
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(&data);
    const auto begin = static_cast<int64_t>(ends[0]), end = static_cast<int64_t>(ends[1]);
    return {begin, std::max(begin, end)};  // \K in a lookahead can put the start after the end
  }

  std::string pattern_;
  std::unique_ptr<pcre2_code, Free<pcre2_code_free>> code_;
  std::unique_ptr<pcre2_match_context, Free<pcre2_match_context_free>> context_;
  bool jit_ = false;
};

}  // namespace

std::unique_ptr<Splitter> make_regex_splitter(std::string_view pattern) {
  REQUIRE(!pattern.empty(), "split pattern: empty");
  return std::make_unique<RegexSplitter>(pattern_expression(pattern));
}

}  // namespace malssi
