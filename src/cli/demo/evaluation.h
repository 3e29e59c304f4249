// A model's replies to the world's questions, and what share of each set is right.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/console.h"
#include "base/file.h"
#include "data/world/questions.h"

namespace malssi::demo {

struct Reply {
  std::string text;
  bool right = false;
};

struct Asked {
  fs::path model;
  fs::path adapter = {};  // attached to the model; empty: none
};
// Each question's reply through the chat template, greedily; nothing when a stop was asked for. A
// model without a chat template is asked through the program's own.
std::optional<std::vector<Reply>> ask_all(const Asked& asked,
                                          std::span<const world::Question> questions,
                                          int64_t answer_tokens, Console& console);

struct Score {
  std::string set;
  world::Language language = world::Language::english;
  int64_t right = 0, asked = 0;
  double share() const { return static_cast<double>(right) / static_cast<double>(asked); }
};
// By set and language, in the order of the questions.
std::vector<Score> scores(std::span<const world::Question> questions,
                          std::span<const Reply> replies);
// The share of a set that is right, in one language or (nothing) in both; NaN when none was asked.
double share_of(std::span<const Score> scores, std::string_view set,
                std::optional<world::Language> language = {});

// The share of a set that the tuned model is to reach in each of its languages; NaN: none is promised.
double goal_of(std::string_view set);
// What does not hold of all that is promised, a sentence each: the goals, more additions right in
// steps than at once, and a base model that cannot follow the same instructions.
std::vector<std::string> broken_promises(std::span<const Score> base, std::span<const Score> tuned);

std::string percent(double share);  // rounded down: "91.2%"

// {"scores": [..], "replies": [..]}, the replies in the order of the questions.
void save_replies(const fs::path& file, std::span<const world::Question> questions,
                  std::span<const Reply> replies);
std::vector<Reply> load_replies(const fs::path& file);

}  // namespace malssi::demo
