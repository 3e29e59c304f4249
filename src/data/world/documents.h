// Texts to pretrain on: portraits, lists, stories and the same sentences in both languages, all
// true in the world, and worked additions. They hold no questions and no chats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/world/split.h"

namespace malssi::world {

std::vector<std::string> make_documents(const World& world, const Split& split, int64_t count,
                                        Rng& rng);

}  // namespace malssi::world
