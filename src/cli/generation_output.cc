#include "cli/generation_output.h"

#include <algorithm>

namespace malssi {

namespace {

// A token as JSON: its text (U+FFFD where it is only part of a character) and its very bytes.
Json token_json(const Tokenizer& tokenizer, int32_t id, double logprob) {
  const std::string_view bytes = tokenizer.token_bytes(id);
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<uint8_t>(byte));
  return Json{{"id", id}, {"text", std::string(bytes)}, {"bytes", list}, {"logprob", logprob}};
}

}  // namespace

double total_logprob(const Generation& generation) {
  double sum = 0;
  for (const GeneratedToken& token : generation.tokens) sum += token.logprob;
  return sum;
}

double mean_logprob(const Generation& generation) {
  const auto count = std::max<size_t>(generation.tokens.size(), 1);
  return total_logprob(generation) / static_cast<double>(count);
}

Json generation_json(const Tokenizer& tokenizer, const Generation& generation) {
  Json json{{"text", generation.text},
            {"finish_reason", std::string(finish_reason_name(generation.reason))}};
  if (!generation.stop_string.empty()) json["stop_string"] = generation.stop_string;
  Json tokens = Json::array();
  for (const GeneratedToken& token : generation.tokens) {
    Json entry = token_json(tokenizer, token.id, token.logprob);
    if (!token.top.empty()) {
      Json& top = entry["top"] = Json::array();
      for (const TokenLogprob& other : token.top)
        top.push_back(token_json(tokenizer, other.id, other.logprob));
    }
    tokens.push_back(std::move(entry));
  }
  json["logprob"] = total_logprob(generation);
  json["tokens"] = std::move(tokens);
  return json;
}

Json timings_json(const EngineStatistics& s) {
  return Json{{"prompt_tokens", s.prompt_tokens},
              {"reading_seconds", s.reading_seconds},
              {"written_tokens", s.written_tokens},
              {"writing_seconds", s.writing_seconds},
              {"tokens_per_second", s.tokens_per_second()},
              {"passes", s.passes},
              {"drafted_tokens", s.drafted_tokens},
              {"accepted_tokens", s.accepted_tokens},
              {"grammar",
               {{"tokens", s.grammar.tokens},
                {"seconds", s.grammar.seconds},
                {"longest_seconds", s.grammar.longest}}}};
}

}  // namespace malssi
