// A chat template of others: any Jinja text of the subset in jinja/template.h. Every byte of a
// rendering is known to be the template's own or a message's (jinja/text.h), so a special token
// that a user types stays plain text, whatever the template does to it. What ends a turn is found
// by rendering a small dialogue; what the assistant said, and a model learns, is what
// {% generation %} encloses, or else what is new after the generation prompt, up to the turn's end.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/template.h"
#include "text/message.h"

namespace malssi {

class ForeignChat {
 public:
  // Error: no Jinja that can be read; `where` names it.
  ForeignChat(std::string_view jinja, std::string_view where, ChatTokens tokens);

  const std::string& jinja() const { return template_.source(); }
  // Error: a role that is no plain word, or what the template makes of the dialogue.
  std::vector<ChatPiece> render(std::span<const Message> messages,
                                const RenderOptions& options) const;
  // The token that ends an answer, as the template writes it; empty: none was found.
  const std::string& turn_end() const { return turn_end_; }

 private:
  jinja::Text text(std::span<const Message> messages, const RenderOptions& options) const;
  Json messages_json(std::span<const Message> messages) const;
  void find_absent_form();
  void find_turn_end();
  void find_argument_form();
  std::vector<bool> trained_bytes(const jinja::Text& text, std::span<const Message> messages,
                                  const RenderOptions& options) const;

  jinja::Template template_;
  ChatTokens tokens_;
  std::string turn_end_;
  bool arguments_as_text_ = false;  // it prints a call's arguments as they are
  bool absent_is_none_ = true;      // no tools are "none", as transformers has it; else undefined
};

}  // namespace malssi
