// Models behind other servers: "openai:NAME" (any OpenAI-compatible server), "anthropic:NAME" and "gemini:NAME". Where they are and
// the key come from the environment: OPENAI_BASE_URL and OPENAI_API_KEY, ANTHROPIC_..., GEMINI_....
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/message.h"

namespace malssi {

enum class RemoteKind { openai, anthropic, gemini };

struct RemoteModel {
  RemoteKind kind = RemoteKind::openai;
  std::string name;
  std::string base_url;
  std::string key = {};
};
// What a model's name means; nothing: it is none of these. Error: no name behind the colon, or no key for the usual server.
std::optional<RemoteModel> remote_model(const std::string& text);

// How to choose tokens; what is absent is the server's to choose.
struct RemoteOptions {
  int64_t max_tokens = 1024;
  std::optional<double> temperature = {}, top_p = {};
  std::optional<int64_t> top_k = {};  // not OpenAI's own
  std::optional<uint64_t> seed = {};  // OpenAI's and Gemini's
  std::vector<std::string> stop = {};
};

struct RemoteAnswer {
  std::string text = {};
  bool is_cut = false;  // by max_tokens
  bool is_cancelled = false;
  int64_t prompt_tokens = 0, answer_tokens = 0;  // as the server tells them; 0: it does not
};

// Answers a conversation of system, user and assistant messages. on_text gets it as it comes. Error, in one line: the server cannot
// be reached, refuses, or answers with what is not its protocol.
RemoteAnswer ask_remote(const RemoteModel& model, std::span<const Message> messages,
                        const RemoteOptions& options,
                        const std::function<void(std::string_view)>& on_text = {},
                        const std::function<bool()>& cancelled = {});

}  // namespace malssi
