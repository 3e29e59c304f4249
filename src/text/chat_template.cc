#include "text/chat_template.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/foreign_chat.h"

namespace malssi {
namespace {

using Piece = ChatTemplate::Piece;
constexpr std::string_view kForeign = "jinja";
constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};

// What a style has to know of itself. The Jinja text must render what `render` says.
struct Style {
  std::string_view name;
  std::string jinja;
  std::vector<std::string_view> special;
  std::string_view stop;  // empty: the end-of-text token
  void (*render)(const Message& message, size_t index, const std::string& end,
                 std::vector<Piece>& out);
  void (*open)(std::vector<Piece>& out);  // the generation prompt
};

bool is_assistant(const Message& message) { return message.role == "assistant"; }

void add_special(std::vector<Piece>& out, std::string text, bool trained = false) {
  out.push_back({.text = std::move(text), .special = true, .trained = trained});
}

void add_text(std::vector<Piece>& out, std::string text, bool trained = false) {
  out.push_back({.text = std::move(text), .trained = trained});
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

void render_malssi(const Message& message, size_t, const std::string&, std::vector<Piece>& out) {
  add_special(out, concat("<|", message.role, "|>"));
  add_text(out, message.content, is_assistant(message));
  add_special(out, "<|end|>", is_assistant(message));
}
void open_malssi(std::vector<Piece>& out) { add_special(out, "<|assistant|>"); }

void render_chatml(const Message& message, size_t, const std::string&, std::vector<Piece>& out) {
  add_special(out, "<|im_start|>");
  add_text(out, concat(message.role, "\n"));
  add_text(out, message.content, is_assistant(message));
  add_special(out, "<|im_end|>", is_assistant(message));
  add_text(out, "\n");
}
void open_chatml(std::vector<Piece>& out) {
  add_special(out, "<|im_start|>");
  add_text(out, "assistant\n");
}

void open_llama3_turn(std::vector<Piece>& out, const std::string& role) {
  add_special(out, "<|start_header_id|>");
  add_text(out, role);
  add_special(out, "<|end_header_id|>");
  add_text(out, "\n\n");
}
void render_llama3(const Message& message, size_t index, const std::string&,
                   std::vector<Piece>& out) {
  if (index == 0) add_special(out, "<|begin_of_text|>");
  open_llama3_turn(out, message.role);
  add_text(out, trimmed(message.content), is_assistant(message));
  add_special(out, "<|eot_id|>", is_assistant(message));
}
void open_llama3(std::vector<Piece>& out) { open_llama3_turn(out, "assistant"); }

constexpr const char* kAlpacaIntroduction =
    "Below is an instruction that describes a task. Write a response that appropriately completes "
    "the request.";

void render_alpaca(const Message& message, size_t index, const std::string& end,
                   std::vector<Piece>& out) {
  const bool system = message.role == "system";
  if (index == 0 && !system) add_text(out, concat(kAlpacaIntroduction, "\n\n"));
  if (!is_assistant(message))
    return add_text(out, concat(system ? "" : "### Instruction:\n", message.content, "\n\n"));
  add_text(out, "### Response:\n");
  add_text(out, message.content, true);
  add_special(out, end, true);
  add_text(out, "\n\n");
}
void open_alpaca(std::vector<Piece>& out) { add_text(out, "### Response:\n"); }

// A style's whole template from what it says of one message and what opens the assistant's turn.
std::string jinja_of(std::string_view message, std::string_view prompt) {
  return concat(
      "{% for message in messages %}{% if message['role'] not in ['system', 'user', 'assistant'] %}"
      "{{ raise_exception('unknown role: ' + message['role']) }}{% endif %}",
      message, "{% endfor %}{% if add_generation_prompt %}{{ '", prompt, "' }}{% endif %}");
}

const std::vector<Style>& all_styles() {
  static const std::vector<Style> styles = {
      {"malssi",
       jinja_of("{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}",
                "<|assistant|>"),
       {"<|system|>", "<|user|>", "<|assistant|>", "<|end|>"},
       "<|end|>",
       render_malssi,
       open_malssi},
      {"chatml",
       jinja_of("{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
                "'\\n' }}",
                "<|im_start|>assistant\\n"),
       {"<|im_start|>", "<|im_end|>"},
       "<|im_end|>",
       render_chatml,
       open_chatml},
      {"llama3",
       jinja_of("{% if loop.first %}{{ '<|begin_of_text|>' }}{% endif %}"
                "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + "
                "message['content'] | trim + '<|eot_id|>' }}",
                "<|start_header_id|>assistant<|end_header_id|>\\n\\n"),
       {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
       "<|eot_id|>",
       render_llama3,
       open_llama3},
      {"alpaca",
       jinja_of(
           concat("{% if loop.first and message['role'] != 'system' %}{{ '", kAlpacaIntroduction,
                  "\\n\\n' }}{% endif %}{% if message['role'] == 'assistant' %}"
                  "{{ '### Response:\\n' + message['content'] + eos_token + '\\n\\n' }}"
                  "{% elif message['role'] == 'user' %}"
                  "{{ '### Instruction:\\n' + message['content'] + '\\n\\n' }}"
                  "{% else %}{{ message['content'] + '\\n\\n' }}{% endif %}"),
           "### Response:\\n"),
       {},
       "",
       render_alpaca,
       open_alpaca}};
  return styles;
}

const Style& style_of(std::string_view name) {
  for (const Style& style : all_styles())
    if (style.name == name) return style;
  const std::vector<std::string> known = ChatTemplate::styles();
  std::string list;
  for (const std::string& style : known) list += (list.empty() ? "" : ", ") + style;
  throw Error(concat("chat template '", name, "' is unknown (known: ", list, ")"));
}

}  // namespace

ChatTemplate::ChatTemplate() : style_("malssi"), end_of_text_(kEndOfText) {}

ChatTemplate ChatTemplate::named(std::string_view style, std::string_view end_of_text) {
  ChatTemplate chat;
  chat.style_ = style_of(style).name;
  chat.end_of_text_ = end_of_text;
  return chat;
}

std::vector<std::string> ChatTemplate::styles() {
  std::vector<std::string> names;
  for (const Style& style : all_styles()) names.emplace_back(style.name);
  return names;
}

ChatTemplate ChatTemplate::from_jinja(std::string_view jinja, std::string_view where,
                                      const ChatTokens& tokens) {
  ChatTemplate chat;
  if (!tokens.eos.empty()) chat.end_of_text_ = tokens.eos;
  for (const Style& style : all_styles()) {
    if (style.jinja != jinja) continue;
    chat.style_ = style.name;
    return chat;
  }
  chat.style_ = kForeign;
  chat.foreign_ = std::make_shared<const ForeignChat>(jinja, where, tokens);
  return chat;
}

namespace {

// A token's text: given as it is, or as an object with its "content".
std::string token_text(const Json& config, std::string_view name, std::string_view where) {
  Json token = get_or<Json>(config, name, Json(), where);
  if (token.is_object()) token = get_or<Json>(token, "content", Json(), where);
  return token.is_string() ? token.get<std::string>() : "";
}

}  // namespace

std::optional<ChatTemplate> ChatTemplate::from_config(const Json& tokenizer_config,
                                                      std::string_view where) {
  Json jinja = get_or<Json>(tokenizer_config, "chat_template", Json(), where);
  if (jinja.is_array())
    for (const Json& named : Json(jinja))
      if (get_or<std::string>(named, "name", "", where) == "default")
        jinja = get_or<Json>(named, "template", Json(), where);
  if (jinja.is_null()) return std::nullopt;
  REQUIRE(jinja.is_string(), where, ": \"chat_template\" is ", json_kind(jinja),
          ", expected a string");
  return from_jinja(jinja.get<std::string>(), concat(where, ": chat_template"),
                    {.bos = token_text(tokenizer_config, "bos_token", where),
                     .eos = token_text(tokenizer_config, "eos_token", where)});
}

std::string ChatTemplate::jinja() const {
  return foreign_ ? foreign_->jinja() : style_of(style_).jinja;
}

std::vector<Piece> ChatTemplate::render(std::span<const Message> messages,
                                        const RenderOptions& options) const {
  REQUIRE(!messages.empty(), "chat template: there is no message");
  if (foreign_) return foreign_->render(messages, options);
  const Style& style = style_of(style_);
  REQUIRE(options.tools.is_null() && options.variables.empty(), "chat template '", style_,
          "' knows no tools and no variables");
  std::vector<Piece> pieces;
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    REQUIRE(std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end(),
            "chat template: unknown role '", role, "' of message ", i + 1,
            " (known: system, user, assistant)");
    style.render(messages[i], i, end_of_text_, pieces);
  }
  if (options.add_generation_prompt) style.open(pieces);
  std::erase_if(pieces, [](const Piece& piece) { return piece.text.empty(); });
  return pieces;
}

std::vector<Piece> ChatTemplate::render(std::span<const Message> messages,
                                        bool add_generation_prompt) const {
  return render(messages, RenderOptions{.add_generation_prompt = add_generation_prompt});
}

std::string ChatTemplate::render_text(std::span<const Message> messages,
                                      bool add_generation_prompt) const {
  std::string text;
  for (const Piece& piece : render(messages, add_generation_prompt)) text += piece.text;
  return text;
}

std::vector<std::string> ChatTemplate::special_tokens() const {
  if (foreign_) return {};
  const Style& style = style_of(style_);
  std::vector<std::string> tokens(style.special.begin(), style.special.end());
  if (style.stop.empty()) tokens.push_back(end_of_text_);
  return tokens;
}

std::vector<std::string> ChatTemplate::stop_tokens() const {
  if (foreign_)
    return foreign_->turn_end().empty() ? std::vector<std::string>{}
                                        : std::vector{foreign_->turn_end()};
  const std::string_view stop = style_of(style_).stop;
  return {stop.empty() ? end_of_text_ : std::string(stop)};
}

std::vector<int32_t> ChatTemplate::stop_ids(const Tokenizer& tokenizer) const {
  std::vector<int32_t> ids;
  for (const std::string& token : stop_tokens())
    if (const auto id = tokenizer.token_id(token)) ids.push_back(*id);
  if (tokenizer.eos_id() >= 0 && std::find(ids.begin(), ids.end(), tokenizer.eos_id()) == ids.end())
    ids.push_back(tokenizer.eos_id());
  return ids;
}

std::vector<std::string> default_special_tokens(const ChatTemplate& chat) {
  std::vector<std::string> tokens = {std::string(kEndOfText)};
  for (std::string& token : chat.special_tokens())
    if (token != kEndOfText) tokens.push_back(std::move(token));
  return tokens;
}

}  // namespace malssi
