// The words a world is made of, in both languages. Within a kind all are distinct, and no name
// serves two kinds, so that a question about a name can mean one thing only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "data/world/pattern.h"

namespace malssi::world {

struct PersonName {
  Term name;
  bool woman;
};
// What somebody did: "planted an apple tree", "plant an apple tree", and the Korean past stem,
// 사과나무를 심었.
struct Deed {
  std::string past, plain, stem_ko;
};

const std::vector<PersonName>& person_names();
const std::vector<Term>& strangers();  // names of nobody in any world
const std::vector<Term>& place_names();
const std::vector<Term>& jobs();
const std::vector<Term>& foods();
const std::vector<Term>& hobbies();
const std::vector<Term>& species();
const std::vector<Term>& pet_names();
const std::vector<Term>& things();
const std::vector<Term>& colours();
const std::vector<Term>& coats();  // colours of animals
const std::vector<Term>& toys();
const std::vector<Deed>& deeds();
const std::vector<Term>& seasons();
const std::vector<Term>& sights();   // what a place is known for
const std::vector<Term>& natures();  // what a place lies by
const std::vector<Term>& finds();    // what turns up in stories
const std::vector<Term>& spots();    // where it turns up: "under a stone"
const std::vector<Term>& times();    // "one rainy morning"

}  // namespace malssi::world
