// What the lessons after tuning share: their questions, and answers to them that are kept in FOLDER/evaluation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/demo/demo.h"
#include "cli/demo/evaluation.h"

namespace malssi::demo {

fs::path world_file(const Demo& demo, std::string_view name);  // FOLDER/world/NAME.jsonl
fs::path model_of(const Demo& demo, std::string_view run);     // FOLDER/RUN/model

// The questions of world_file(`questions`); replies go to evaluation/NAME.json. Nothing when a stop was asked for.
std::optional<std::vector<Reply>> ask_and_keep(const Demo& demo, const Asked& asked,
                                               std::string_view questions, std::string_view name);
// What ask_and_keep() kept.
std::vector<Reply> kept_replies(const Demo& demo, std::string_view name);

}  // namespace malssi::demo
