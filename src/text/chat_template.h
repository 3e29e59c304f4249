// Chat templates: how a dialogue becomes one text, which of it are special tokens, and which of it
// a model learns to say. Styles, each also a Jinja template that transformers renders to the same
// text:
//   "malssi"  <|user|>Hello<|end|><|assistant|>Hi!<|end|>        the default: two tokens a message
//   "chatml"  <|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi!<|im_end|>\n
//   "llama3"  <|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>...
//   "alpaca"  ### Instruction:\nHello\n\n### Response:\nHi!<end-of-text token>\n\n   after a
//   sentence of introduction
// Any other Jinja template is rendered by our own interpreter (foreign_chat.h); its style is
// "jinja". Const members may be called from several threads at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/message.h"
#include "text/tokenizer.h"

namespace malssi {

class ForeignChat;

class ChatTemplate {
 public:
  using Piece = ChatPiece;

  ChatTemplate();  // the default style
  // Error: an unknown style, with the known ones. `end_of_text` is the token that ends a turn in
  // "alpaca".
  static ChatTemplate named(std::string_view style, std::string_view end_of_text = "<|endoftext|>");
  static std::vector<std::string> styles();
  // One of our styles if this is its Jinja text, else a template of style "jinja". Error: Jinja
  // that cannot be read, with `where` and the line.
  static ChatTemplate from_jinja(std::string_view jinja, std::string_view where,
                                 const ChatTokens& tokens = {});
  // From a tokenizer_config.json: nothing where it has no "chat_template". Where that is a list of
  // named templates, "default" is taken. Error: as above.
  static std::optional<ChatTemplate> from_config(const Json& tokenizer_config,
                                                 std::string_view where);

  const std::string& style() const { return style_; }
  std::string jinja() const;
  // Error: an unknown role, or no message at all; of a foreign template, whatever it refuses.
  // Our own styles take neither tools nor variables. The pieces of a foreign template are its
  // words, with special tokens among them, and the messages'.
  std::vector<Piece> render(std::span<const Message> messages, const RenderOptions& options) const;
  std::vector<Piece> render(std::span<const Message> messages, bool add_generation_prompt) const;
  std::string render_text(std::span<const Message> messages, bool add_generation_prompt) const;
  // Tokens that a tokenizer must have for this style (none for a foreign one, which comes with its
  // tokenizer); stop_tokens() are those that end the assistant's turn.
  std::vector<std::string> special_tokens() const;
  std::vector<std::string> stop_tokens() const;
  // The ids of the stop tokens, and of the tokenizer's end of text.
  std::vector<int32_t> stop_ids(const Tokenizer& tokenizer) const;

 private:
  std::string style_;
  std::string end_of_text_;
  std::shared_ptr<const ForeignChat> foreign_;  // of style "jinja"
};

// What a tokenizer trained here reserves: <|endoftext|>, and the style's special tokens.
std::vector<std::string> default_special_tokens(const ChatTemplate& chat = ChatTemplate());

struct EncodedChat {
  std::vector<int32_t> ids;
  std::vector<bool> trained;  // per id: scored in tuning
};
// Message texts are plain text: a "<|end|>" inside one stays six characters and ends nothing.
// Error: the tokenizer lacks one of the template's special tokens.
EncodedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                        std::span<const Message> messages, const RenderOptions& options);
EncodedChat encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                        std::span<const Message> messages, bool add_generation_prompt);

}  // namespace malssi
