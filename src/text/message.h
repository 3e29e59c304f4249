// A dialogue's messages, what goes with them into a chat template, and the pieces that come out.
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "base/json.h"

namespace malssi {

struct Message {
  std::string role;  // "system", "user" or "assistant"; for templates of others also "tool", ...
  std::string content;
  std::string reasoning = {};                // what the assistant thought before it answered
  Json tool_calls = nullptr;                 // the assistant's, as OpenAI's API lists them
  std::string name = {}, tool_call_id = {};  // of a tool's answer
};

struct RenderOptions {
  bool add_generation_prompt = false;  // end with what opens the assistant's turn
  Json tools = nullptr;                // functions the model may call, as OpenAI's API lists them
  Json variables = Json::object();     // more for the template: {"enable_thinking": false}
  std::optional<std::tm> now = {};     // the date for templates that tell it; else this moment
};

// The texts that a template calls bos_token and eos_token.
struct ChatTokens {
  std::string bos = {}, eos = {};
};

struct ChatPiece {
  std::string text;
  bool special = false;  // one special token
  bool trained = false;  // the assistant's words and the token that ends them
  bool markup = false;   // the template's own words: special tokens may stand among them
};

}  // namespace malssi
