// A small closed world: who lives where, does, owns, likes and did what. Everything follows from
// the seed. Jobs, things, pets' names, deeds and a place's sight belong to one alone, so that
// questions asked backwards have one answer too.
#pragma once

#include <cstdint>
#include <vector>

#include "data/world/pattern.h"

namespace malssi::world {

struct WorldOptions {
  uint64_t seed = 1;
  int64_t people = 24;  // 2 .. 28
  int64_t places = 8;   // 2 .. 10
};

struct Person {
  Term name;
  bool woman = false;
  int64_t home = 0;         // index of a place
  int64_t best_friend = 0;  // index of another person
  // x, she, her, home, job, food, hobby, species, pet, thing, colour, friend, deed, do, season,
  // coat, toy, and sight and nature of the home.
  Slots slots = {};
};

struct Place {
  Term name;
  Slots slots = {};  // place, sight, nature
};

struct World {
  WorldOptions options;
  std::vector<Person> people;
  std::vector<Place> places;

  std::vector<int64_t> people_of(int64_t place) const;  // ascending
};

// Throws Error when the options are out of range.
World make_world(const WorldOptions& options);

}  // namespace malssi::world
