// Things to do rather than to answer: translate, rewrite, list, describe, summarise. Each comes as
// a user's message and the reply that fulfils it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/world/split.h"
#include "data/world/stories.h"

namespace malssi::world {

struct Task {
  std::string message, reply;
};
// Which of the wordings of an instruction: those of training, or one that training never uses.
enum class Wording { trained, held_out };

// The sentence of a fact, or a remark, to be put into the other language. `from` is the sentence's
// language, and the instruction's.
Task translation(const World& world, const Fact& fact, Language from, Wording wording, Rng& rng);
// English: the person's name becomes he or she; Korean: plain style becomes polite. Nothing where
// the relation has no such pair of sentences.
std::optional<Task> rewriting(const World& world, const Fact& fact, Language language,
                              Wording wording, Rng& rng);
Task translation(const Remark& remark, Language from, Wording wording, Rng& rng);
Task rewriting(const Remark& remark, Language language, Wording wording, Rng& rng);
Task description(const World& world, int64_t person, Language language, Wording wording, Rng& rng);
Task summary(const Story& story, Language language, Wording wording, Rng& rng);

// People who have something in common: where they live or what animal they keep.
struct Group {
  Relation relation;
  Term value;
  std::vector<Term> members;  // in the world's order; one or more
};
std::vector<Group> groups(const World& world);
Task listing(const Group& group, Language language, Wording wording, Rng& rng);  // "Mina, Juno"

}  // namespace malssi::world
