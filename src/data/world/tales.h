// The same answers in another voice: that of someone who tells fairy tales, in both languages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "data/world/questions.h"

namespace malssi::world {

std::string as_tale(std::string_view answer, Language language);

std::vector<Conversation> tale_chats(const World& world, const Split& split, int64_t count,
                                     Rng& rng);
// In held-out wordings; right is what is true and told as a tale. The set: "fairy tales".
std::vector<Question> tale_questions(const World& world, const Split& split, int64_t count,
                                     Rng& rng);

}  // namespace malssi::world
