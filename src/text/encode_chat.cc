// A rendered dialogue as token ids.
#include "base/error.h"
#include "text/chat_template.h"

namespace malssi {
namespace {

using Pieces = std::span<const ChatPiece>;

int32_t special_id(const Tokenizer& tokenizer, const ChatTemplate& chat, const std::string& text) {
  const auto id = tokenizer.token_id(text);
  REQUIRE(id, "chat template '", chat.style(), "': the tokenizer has no token ", text,
          "; add it to the tokenizer, or use another template");
  return *id;
}

// Whether every special token that can be read in the text stands in the template's own words.
bool only_markup_is_special(const Tokenizer& tokenizer, Pieces pieces, std::string_view text) {
  size_t piece = 0;
  auto end = static_cast<int64_t>(pieces.empty() ? 0 : pieces[0].text.size());
  for (int64_t at = 0;;) {
    const AddedTokens::Match match = tokenizer.find_special(text, at);
    if (match.id < 0) return true;
    while (match.begin >= end) end += static_cast<int64_t>(pieces[++piece].text.size());
    if (!pieces[piece].markup || match.end > end) return false;
    at = match.end;
  }
}

// Special tokens in the template's words, and all else between them as plain text.
void encode_apart(const Tokenizer& tokenizer, Pieces pieces, std::vector<int32_t>& ids) {
  std::string plain;
  const auto flush = [&] {
    if (!plain.empty()) tokenizer.encode(plain, {}, ids);
    plain.clear();
  };
  for (const ChatPiece& piece : pieces) {
    int64_t at = 0;
    while (piece.markup) {
      const AddedTokens::Match match = tokenizer.find_special(piece.text, at);
      if (match.id < 0) break;
      plain += piece.text.substr(static_cast<size_t>(at), static_cast<size_t>(match.begin - at));
      flush();
      ids.push_back(match.id);
      at = match.end;
    }
    plain += piece.text.substr(static_cast<size_t>(at));
  }
  flush();
}

// Texts side by side are encoded as one, as whoever renders the template first would.
void encode_text(const Tokenizer& tokenizer, Pieces pieces, std::vector<int32_t>& ids) {
  std::string text;
  bool markup = false;
  for (const ChatPiece& piece : pieces) {
    text += piece.text;
    markup = markup || piece.markup;
  }
  if (!markup)
    tokenizer.encode(text, {}, ids);
  else if (only_markup_is_special(tokenizer, pieces, text))
    tokenizer.encode(text, {.parse_special = true}, ids);
  else
    encode_apart(tokenizer, pieces, ids);
}

}  // namespace

EncodedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                        std::span<const Message> messages, const RenderOptions& options) {
  const std::vector<ChatPiece> pieces = chat.render(messages, options);
  EncodedChat out;
  for (size_t i = 0; i < pieces.size();) {
    const bool trained = pieces[i].trained;
    size_t end = i + 1;
    if (pieces[i].special) {
      out.ids.push_back(special_id(tokenizer, chat, pieces[i].text));
    } else {
      while (end < pieces.size() && !pieces[end].special && pieces[end].trained == trained) ++end;
      encode_text(tokenizer, Pieces(pieces).subspan(i, end - i), out.ids);
    }
    i = end;
    out.trained.resize(out.ids.size(), trained);
  }
  return out;
}

EncodedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                        std::span<const Message> messages, bool add_generation_prompt) {
  return encode_chat(tokenizer, chat, messages,
                     RenderOptions{.add_generation_prompt = add_generation_prompt});
}

}  // namespace malssi
