#include "train/tune/preview.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "data/loss_marks.h"
#include "data/record_file.h"
#include "train/run/too_long.h"

namespace malssi {
namespace {

constexpr std::string_view kLearned = "\x1b[1;32m", kPlain = "\x1b[0m", kTitle = "\x1b[2m";

// Without characters that a terminal obeys, but for line breaks and tabs.
std::string harmless(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f)
      shown += fmt::format("\\x{:02x}", byte);
    else
      shown += c;
  }
  return shown;
}

std::string title(const std::string& text, const PreviewStyle& style) {
  const std::string line = "--- " + text + " ---";
  return style.has_colour ? concat(kTitle, line, kPlain, "\n") : line + "\n";
}

std::string token_lines(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                        std::span<const uint8_t> learned, const PreviewStyle& style) {
  std::string lines;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string word = dump_json(Json(tokenizer.decode({&ids[i], 1})));
    const std::string line = fmt::format("{:>8} {} {}", ids[i], learned[i] ? '+' : ' ', word);
    lines += learned[i] && style.has_colour ? concat(kLearned, line, kPlain) : line;
    lines += '\n';
  }
  return lines;
}

std::string count(int64_t n) { return human_count(static_cast<double>(n)); }

std::string percent(int64_t part, int64_t whole) {
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) /
                                    static_cast<double>(std::max<int64_t>(whole, 1)));
}

std::string legend(const PreviewStyle& style) {
  if (style.each_token) return "+ = learned\n";
  return style.has_colour ? concat(kLearned, "learned", kPlain, " and not learned\n")
                          : "[learned] and not learned\n";
}

std::string left_out(int64_t empty, int64_t invalid, const std::string& first) {
  if (empty + invalid == 0) return "";
  return concat("left out: ", empty, " without an answer, ", invalid, " malformed",
                first.empty() ? "" : "; the first: " + harmless(first), "\n");
}

}  // namespace

std::string preview_text(const Tokenizer& tokenizer, std::span<const int32_t> ids,
                         std::span<const uint8_t> learned, const PreviewStyle& style) {
  if (style.each_token) return token_lines(tokenizer, ids, learned, style);
  std::string text;
  for (size_t begin = 0; begin < ids.size();) {
    size_t end = begin;
    while (end < ids.size() && learned[end] == learned[begin]) ++end;
    const std::string words = harmless(tokenizer.decode(ids.subspan(begin, end - begin)));
    if (!learned[begin])
      text += words;
    else
      text += style.has_colour ? concat(kLearned, words, kPlain) : "[" + words + "]";
    begin = end;
  }
  return text + (text.ends_with('\n') ? "" : "\n");
}

std::string preview_chats(const SftData& data, const Tokenizer& tokenizer, const ChatTemplate& chat,
                          const PreviewOptions& options) {
  const ChatSet set(data.conversations, tokenizer, chat, options.set);
  std::string text = legend(options.style);
  for (int64_t i = 0; i < std::min(options.count, set.size()); ++i) {
    const ChatSet::Chat each = set.at(i);
    const int64_t line = data.lines[static_cast<size_t>(set.record(i))];
    const int64_t learned = std::count(each.trained.begin(), each.trained.end(), 1);
    text += title(concat("line ", line, ": ", each.ids.size(), " tokens, ", learned, " learned"),
                  options.style);
    text += preview_text(tokenizer, each.ids, each.trained, options.style);
  }
  int64_t dropped = 0;
  for (const Conversation& each : data.conversations)
    dropped += dropped_message(chat, each).has_value();
  const int64_t all = set.tokens() + set.lost_tokens();
  text += title("all of it", options.style);
  text += concat("conversations: ", set.size(), ", template ", chat.style(), ", context ",
                 set.context(), "\ntokens: ", count(all), "; learned ", count(set.trained_tokens()),
                 " (", percent(set.trained_tokens(), all), "), not learned ",
                 count(set.tokens() - set.trained_tokens()), ", left out ",
                 count(set.lost_tokens()), "\n");
  if (set.truncated() + set.dropped() > 0)
    text += describe({.records = "conversations",
                      .all = set.size() + set.dropped(),
                      .cut = set.truncated(),
                      .cut_answers = set.cut_answers(),
                      .left_out = set.dropped(),
                      .most = set.context(),
                      .settings = "--context, --too-long"}) +
            "\n";
  if (dropped > 0)
    text += concat("the template leaves out messages of ", dropped, " conversations\n");
  return text + left_out(data.empty_answers, data.invalid,
                         data.first_invalid.empty() ? data.first_empty : data.first_invalid);
}

std::string preview_preferences(const PreferenceData& data, const Tokenizer& tokenizer,
                                const ChatTemplate& chat, const PreviewOptions& options) {
  const PreferenceSet set(data.records, tokenizer, chat, {.context = options.set.context});
  std::string text = legend(options.style);
  int64_t learned = 0;
  for (int64_t i = 0; i < set.sequences(); ++i) learned += set.sequence(i).answer_tokens;
  for (int64_t i = 0; i < std::min(options.count, set.size()); ++i) {
    const PreferenceSet::Group& group = set.at(i);
    for (int64_t j = 0; j < group.count; ++j) {
      const PreferenceSet::Sequence each = set.sequence(group.first + j);
      const std::string rank = group.count == 1  ? (group.liked ? "liked" : "disliked")
                               : group.count > 2 ? concat("rank ", j + 1)
                               : j == 0          ? "chosen"
                                                 : "rejected";
      text += title(concat("preference ", i + 1, ", ", rank, ": ", each.ids.size(), " tokens, ",
                           each.answer_tokens, " compared"),
                    options.style);
      text += preview_text(tokenizer, each.ids, each.scored, options.style);
    }
  }
  text += title("all of it", options.style);
  text += concat("preferences: ", set.size(), ", template ", chat.style(), ", context ",
                 set.context(), "\ntokens: ", count(set.tokens()), "; compared ", count(learned),
                 " (", percent(learned, set.tokens()), ")\n");
  if (set.dropped() > 0)
    text += describe({.records = "preferences",
                      .all = set.size() + set.dropped(),
                      .left_out = set.dropped(),
                      .most = set.context(),
                      .settings = "--context"}) +
            "\n";
  return text + left_out(data.undecided, data.invalid, data.first_invalid);
}

std::optional<PreferenceKind> preference_kind(const fs::path& file) {
  RecordFile records(file, "expected conversations or preferences");
  JsonRecord record;
  if (!records.next(record)) return {};
  const Json first = parse_json(record.text, records.place(record));
  if (!first.is_object()) return {};
  if (first.contains("chosen") && first.contains("rejected")) return PreferenceKind::pairs;
  if (first.contains("ranked")) return PreferenceKind::rankings;
  const bool is_judged = first.contains("label") && first["label"].is_boolean();
  return is_judged ? std::optional(PreferenceKind::judged) : std::nullopt;
}

}  // namespace malssi
