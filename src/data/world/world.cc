#include "data/world/world.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/world/names.h"

namespace malssi::world {
namespace {

// `count` different entries of the list, in random order.
template <class T>
std::vector<T> draw(const std::vector<T>& list, int64_t count, Rng& rng) {
  std::vector<T> chosen = list;
  rng.shuffle(std::span<T>(chosen));
  CHECK(count <= static_cast<int64_t>(chosen.size()), "world: list too short");
  chosen.resize(static_cast<size_t>(count));
  return chosen;
}

// `count` entries of the list, each about equally often, in random order.
template <class T>
std::vector<T> deal(const std::vector<T>& list, int64_t count, Rng& rng) {
  std::vector<T> dealt;
  while (static_cast<int64_t>(dealt.size()) < count) {
    const int64_t rest = count - static_cast<int64_t>(dealt.size());
    for (T& term : draw(list, std::min<int64_t>(rest, std::ssize(list)), rng))
      dealt.push_back(std::move(term));
  }
  rng.shuffle(std::span<T>(dealt));
  return dealt;
}

// Everybody's best friend: the next in a random circle, so nobody is their own.
std::vector<int64_t> friends(int64_t people, Rng& rng) {
  std::vector<int64_t> circle(static_cast<size_t>(people)), friend_of(circle.size());
  std::iota(circle.begin(), circle.end(), 0);
  rng.shuffle(std::span<int64_t>(circle));
  for (size_t i = 0; i < circle.size(); ++i)
    friend_of[static_cast<size_t>(circle[i])] = circle[(i + 1) % circle.size()];
  return friend_of;
}

std::vector<Place> make_places(int64_t count, Rng& rng) {
  const std::vector<Term> names = draw(place_names(), count, rng);
  const std::vector<Term> sight = draw(sights(), count, rng);
  const std::vector<Term> nature = deal(natures(), count, rng);
  std::vector<Place> places;
  for (size_t i = 0; i < names.size(); ++i) {
    Place place{.name = names[i]};
    place.slots.set("place", names[i]);
    place.slots.set("sight", sight[i]);
    place.slots.set("nature", nature[i]);
    places.push_back(std::move(place));
  }
  return places;
}

std::vector<Person> make_people(int64_t count, Rng& rng) {
  std::vector<Person> people;
  for (const PersonName& name : draw(person_names(), count, rng)) {
    Person person{.name = name.name, .woman = name.woman};
    person.slots.set("x", name.name);
    person.slots.set("she", name.woman ? Term{"she", "그녀"} : Term{"he", "그"});
    person.slots.set("her", name.woman ? Term{"her", "그녀의"} : Term{"his", "그의"});
    people.push_back(std::move(person));
  }
  return people;
}

void give(std::vector<Person>& people, std::string_view slot, const std::vector<Term>& terms) {
  for (size_t i = 0; i < people.size(); ++i) people[i].slots.set(slot, terms[i]);
}

void give_deeds(std::vector<Person>& people, Rng& rng) {
  const std::vector<Deed> done = draw(deeds(), std::ssize(people), rng);
  for (size_t i = 0; i < people.size(); ++i) {
    people[i].slots.set("deed", {done[i].past, done[i].stem_ko});
    people[i].slots.set("do", {done[i].plain, done[i].stem_ko});
  }
}

}  // namespace

std::vector<int64_t> World::people_of(int64_t place) const {
  std::vector<int64_t> found;
  for (int64_t i = 0; i < std::ssize(people); ++i)
    if (people[static_cast<size_t>(i)].home == place) found.push_back(i);
  return found;
}

World make_world(const WorldOptions& options) {
  const int64_t most_people = std::ssize(person_names()), most_places = std::ssize(place_names());
  REQUIRE(options.people >= 2 && options.people <= most_people, "world: ", options.people,
          " people asked for, 2 to ", most_people, " are possible");
  REQUIRE(options.places >= 2 && options.places <= most_places, "world: ", options.places,
          " places asked for, 2 to ", most_places, " are possible");
  Rng rng(options.seed);
  const int64_t count = options.people;
  World world{.options = options,
              .people = make_people(count, rng),
              .places = make_places(options.places, rng)};
  give(world.people, "job", draw(jobs(), count, rng));
  give(world.people, "pet", draw(pet_names(), count, rng));
  give(world.people, "thing", draw(things(), count, rng));
  give(world.people, "food", deal(foods(), count, rng));
  give(world.people, "hobby", deal(hobbies(), count, rng));
  give(world.people, "species", deal(species(), count, rng));
  give(world.people, "colour", deal(colours(), count, rng));
  give(world.people, "season", deal(seasons(), count, rng));
  give(world.people, "coat", deal(coats(), count, rng));
  give(world.people, "toy", deal(toys(), count, rng));
  give_deeds(world.people, rng);
  std::vector<int64_t> numbers(world.places.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  const std::vector<int64_t> homes = deal(numbers, count, rng), friend_of = friends(count, rng);
  for (size_t i = 0; i < world.people.size(); ++i) {
    Person& person = world.people[i];
    person.home = homes[i];
    person.best_friend = friend_of[i];
    const Place& home = world.places[static_cast<size_t>(person.home)];
    person.slots.set("home", home.name);
    person.slots.set("sight", home.slots.get("sight"));
    person.slots.set("nature", home.slots.get("nature"));
    person.slots.set("friend", world.people[static_cast<size_t>(person.best_friend)].name);
  }
  return world;
}

}  // namespace malssi::world
