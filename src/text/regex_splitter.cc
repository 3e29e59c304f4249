// Splitting by any expression.
#include "text/regex.h"
#include "text/splitter.h"

namespace malssi {
namespace {

class RegexSplitter : public Splitter {
 public:
  explicit RegexSplitter(const std::string& expression) : regex_(expression) {}

  int64_t split(std::string_view text, int64_t from, std::span<int64_t> ends) const override {
    const auto size = static_cast<int64_t>(text.size());
    const auto room = static_cast<int64_t>(ends.size());
    int64_t count = 0, at = from;
    regex_.each_match(text, from, [&](int64_t begin, int64_t end) {
      if (begin > at) ends[static_cast<size_t>(count++)] = begin;
      ends[static_cast<size_t>(count++)] = at = end;
      return count + 2 <= room;
    });
    if (at < size && count + 2 <= room) ends[static_cast<size_t>(count++)] = size;
    return count;
  }

 private:
  Regex regex_;
};

}  // namespace

std::unique_ptr<Splitter> make_regex_splitter(std::string_view pattern) {
  return std::make_unique<RegexSplitter>(pattern_expression(pattern));
}

}  // namespace malssi
