#include <array>

#include "data/world/relations.h"

namespace malssi::world {
namespace {

Phrases home() {
  return {
      .statements = {"{x} lives in {home}.", "{x}'s home is in {home}.",
                     "{x} has a house in {home}.", "The village where {x} lives is {home}.",
                     "In {home} stands the house of {x}.", "{home} is the home of {x}."},
      .questions = {"Where does {x} live?", "Which village does {x} live in?",
                    "What is the name of the village where {x} lives?", "Where is {x}'s home?",
                    "Where can I find {x}'s house?", "Tell me where {x} lives.",
                    "In which village is {x}'s house?", "Do you know where {x}'s home is?",
                    "In which village does {x} have a house?"},
      .held_out = {"In which village does {x} live?", "Tell me where {x}'s home is.",
                   "Do you know where {x} lives?"},
      .follow_up = "And where does {she} live?",
      .rewrite = {"{x} lives in {home}.", "{she:Cap} lives in {home}."},
      .answer = "{x} lives in {home}.",
      .also = {"{home}", "In {home}", "{x}'s home is in {home}.", "{x} has a house in {home}."}};
}

Phrases job() {
  return {.statements = {"{x} is {job:a}.", "{x} works as {job:a}.", "The {job} is {x}.",
                         "{x} earns a living as {job:a}.", "Everyone knows the {job} {x}.",
                         "The {job} is called {x}.", "{x}'s job is {job}."},
          .questions = {"What does {x} do for a living?", "What is {x}'s job?",
                        "What work does {x} do?", "What does {x} work as?", "Tell me {x}'s job.",
                        "What job does {x} have?", "Do you know {x}'s job?",
                        "How does {x} earn a living?", "Do you know what {x} does for a living?"},
          .held_out = {"Do you know what {x} works as?", "Tell me what {x} does for a living.",
                       "Which job does {x} have?"},
          .follow_up = "And what is {her} job?",
          .rewrite = {"{x} is {job:a}.", "{she:Cap} is {job:a}."},
          .answer = "{x} is {job:a}.",
          .also = {"{job}", "{job:a}", "{x} works as {job:a}.", "{x} is the {job}."}};
}

Phrases food() {
  return {
      .statements = {"{x}'s favourite food is {food}.", "{x} likes {food} most of all.",
                     "{x} loves to eat {food}.", "{food:Cap} is what {x} likes to eat most.",
                     "For dinner {x} always wants {food}.", "The favourite food of {x} is {food}."},
      .questions = {"What is {x}'s favourite food?", "What does {x} like to eat most?",
                    "Which food does {x} like most of all?", "What food does {x} love?",
                    "Tell me {x}'s favourite food.", "What does {x} love to eat?",
                    "Do you know what {x} likes to eat?", "Which food is {x}'s favourite?",
                    "What does {x} want for dinner?"},
      .held_out = {"Do you know {x}'s favourite food?", "Tell me what {x} loves to eat.",
                   "Which food does {x} love most?"},
      .follow_up = "And what is {her} favourite food?",
      .rewrite = {"{x}'s favourite food is {food}.", "{her:Cap} favourite food is {food}."},
      .answer = "{x}'s favourite food is {food}.",
      .also = {"{food}", "{x} likes {food} most of all.", "{x} loves to eat {food}."}};
}

Phrases hobby() {
  return {.statements = {"{x}'s hobby is {hobby}.", "In {her} free time {x} enjoys {hobby}.",
                         "{x} spends {her} free time on {hobby}.", "The hobby of {x} is {hobby}.",
                         "{hobby:Cap} is {x}'s hobby.", "For fun {x} goes in for {hobby}."},
          .questions = {"What is {x}'s hobby?", "What does {x} enjoy in {her} free time?",
                        "Which hobby does {x} have?", "What does {x} do in {her} free time?",
                        "Tell me {x}'s hobby.", "How does {x} spend {her} free time?",
                        "Do you know {x}'s hobby?", "What does {x} do for fun?",
                        "What hobby does {x} enjoy?"},
          .held_out = {"What hobby does {x} have?", "Tell me what {x} does for fun.",
                       "Do you know how {x} spends {her} free time?"},
          .follow_up = "And what is {her} hobby?",
          .rewrite = {"{x}'s hobby is {hobby}.", "{her:Cap} hobby is {hobby}."},
          .answer = "{x}'s hobby is {hobby}.",
          .also = {"{hobby}", "{x} enjoys {hobby}.", "In {her} free time {x} enjoys {hobby}."}};
}

Phrases species() {
  return {
      .statements = {"{x} has {species:a}.", "{x} keeps {species:a}.", "{x}'s pet is {species:a}.",
                     "{species:A} lives with {x}.", "The animal in {x}'s house is {species:a}.",
                     "The pet of {x} is {species:a}."},
      .questions = {"What animal does {x} have?", "Which animal does {x} keep?",
                    "What kind of pet does {x} have?", "What kind of animal is {x}'s pet?",
                    "Tell me what animal {x} keeps.", "Which animal lives with {x}?",
                    "What pet does {x} have?", "Do you know what animal {x} has?",
                    "What kind of animal does {x} have?"},
      .held_out = {"What animal does {x} keep?", "What kind of animal lives with {x}?",
                   "Which pet does {x} have?"},
      .follow_up = "And what animal does {she} have?",
      .rewrite = {"{x} has {species:a}.", "{she:Cap} has {species:a}."},
      .answer = "{x} has {species:a}.",
      .also = {"{species}", "{species:a}", "{x} keeps {species:a}.", "{x}'s pet is {species:a}."}};
}

Phrases pet() {
  return {
      .statements = {"{x}'s {species} is called {pet}.", "The name of {x}'s {species} is {pet}.",
                     "{x} calls {her} {species} {pet}.", "{pet} is {x}'s {species}.",
                     "{pet} is the {species} of {x}.", "The {species} {pet} lives with {x}."},
      .questions = {"What is {x}'s {species} called?", "What is the name of {x}'s {species}?",
                    "What is {x}'s pet called?", "Tell me the name of {x}'s pet.",
                    "What name does {x}'s {species} have?", "What does {x} call {her} {species}?",
                    "Do you know the name of {x}'s {species}?",
                    "What is the name of the {species} that lives with {x}?",
                    "Which name does {x}'s pet have?"},
      .held_out = {"What is the name of {x}'s pet?", "Tell me the name of {x}'s {species}.",
                   "What does {x} call {her} pet?"},
      .follow_up = "And what is {her} pet called?",
      .rewrite = {"{x}'s {species} is called {pet}.", "{her:Cap} {species} is called {pet}."},
      .answer = "{x}'s {species} is called {pet}.",
      .also = {"{pet}", "{x}'s pet is called {pet}.", "The name of {x}'s {species} is {pet}."}};
}

Phrases thing() {
  return {
      .statements = {"{x} owns {colour:a} {thing}.", "{x} has {colour:a} {thing} at home.",
                     "The {colour} {thing} belongs to {x}.",
                     "The owner of the {colour} {thing} is {x}.",
                     "{colour:A} {thing} stands in {x}'s house.",
                     "{x} is the owner of {colour:a} {thing}."},
      .questions = {"What does {x} own?", "What thing does {x} own?", "Which thing belongs to {x}?",
                    "Tell me what {x} owns.", "Which thing does {x} have at home?",
                    "Do you know what {x} owns?", "Which thing is owned by {x}?",
                    "Name the thing that {x} owns.", "Tell me which thing belongs to {x}."},
      .held_out = {"Which thing does {x} own?", "What thing belongs to {x}?",
                   "Do you know which thing {x} owns?"},
      .follow_up = "And what does {she} own?",
      .rewrite = {"{x} owns {colour:a} {thing}.", "{she:Cap} owns {colour:a} {thing}."},
      .answer = "{x} owns {colour:a} {thing}.",
      .also = {"{colour:a} {thing}", "{colour} {thing}", "{x} owns {thing:a}.", "{thing:a}",
               "{x} has {colour:a} {thing}."}};
}

Phrases colour() {
  return {
      .statements = {"{x}'s {thing} is {colour}.", "The {thing} of {x} is {colour}.",
                     "{colour:Cap} is the colour of {x}'s {thing}."},
      .questions = {"What colour is {x}'s {thing}?", "Which colour is {x}'s {thing}?",
                    "What is the colour of {x}'s {thing}?", "Tell me the colour of {x}'s {thing}.",
                    "What colour does {x}'s {thing} have?",
                    "Do you know the colour of {x}'s {thing}?",
                    "{x} owns {thing:a}. What colour is it?",
                    "What colour is the {thing} that {x} owns?"},
      .held_out = {"Which colour does {x}'s {thing} have?", "Tell me what colour {x}'s {thing} is.",
                   "Do you know what colour {x}'s {thing} is?"},
      .follow_up = "",
      .answer = "{x}'s {thing} is {colour}.",
      .also = {"{colour}", "The {thing} is {colour}.", "It is {colour}."}};
}

Phrases best_friend() {
  return {
      .statements = {"{x}'s best friend is {friend}.", "The best friend of {x} is {friend}.",
                     "{x} trusts {friend} most.", "{x} calls {friend} {her} best friend.",
                     "{friend} is {x}'s best friend.", "{x} likes {friend} best of all people."},
      .questions = {"Who is {x}'s best friend?", "What is the name of {x}'s best friend?",
                    "Who is the best friend of {x}?", "Tell me who {x}'s best friend is.",
                    "Which person is {x}'s best friend?", "Do you know {x}'s best friend?",
                    "Who does {x} call {her} best friend?", "Who does {x} trust most?",
                    "Tell me the name of the best friend of {x}."},
      .held_out = {"Tell me the name of {x}'s best friend.",
                   "Do you know who {x}'s best friend is?",
                   "Which person does {x} call {her} best friend?"},
      .follow_up = "And who is {her} best friend?",
      .rewrite = {"{x}'s best friend is {friend}.", "{her:Cap} best friend is {friend}."},
      .answer = "{x}'s best friend is {friend}.",
      .also = {"{friend}", "{friend} is {x}'s best friend.",
               "The best friend of {x} is {friend}."}};
}

Phrases deed() {
  return {.statements = {"Last {season} {x} {deed}.", "{x} {deed} last {season}.",
                         "It was {x} who {deed}.", "{x} is the one who {deed}.",
                         "In {season} {x} {deed}.", "The person who {deed} is {x}."},
          .questions = {"What did {x} do last year?", "What did {x} do last {season}?",
                        "Tell me what {x} did last year.", "What great deed did {x} do?",
                        "What was {x}'s great deed?", "Do you know what {x} did last {season}?",
                        "Tell me {x}'s great deed.", "Do you know {x}'s great deed?",
                        "What did {x} do in {season}?"},
          .held_out = {"Tell me what {x} did last {season}.", "Do you know what {x} did last year?",
                       "Which great deed did {x} do?"},
          .follow_up = "And what did {she} do last year?",
          .rewrite = {"{x} {deed}.", "{she:Cap} {deed}."},
          .answer = "{x} {deed}.",
          .also = {"{deed}", "{x} {deed} last {season}.", "Last {season} {x} {deed}.",
                   "In {season} {x} {deed}."}};
}

Phrases season() {
  return {.statements = {"It was in {season} that {x} {deed}.", "{x} {deed} in {season}.",
                         "The season when {x} {deed} was {season}."},
          .questions = {"When did {x} {do}?", "In which season did {x} {do}?",
                        "What season was it when {x} {deed}?", "In what season did {x} {do}?",
                        "Tell me when {x} {deed}.", "Which season was it when {x} {deed}?",
                        "Do you know in which season {x} {deed}?", "{x} {deed}. When was that?",
                        "Do you know when it was that {x} {deed}?"},
          .held_out = {"Do you know when {x} {deed}?", "Tell me in which season {x} {deed}.",
                       "When was it that {x} {deed}?"},
          .follow_up = "",
          .answer = "{x} {deed} in {season}.",
          .also = {"{season}", "In {season}", "Last {season}", "{x} {deed} last {season}.",
                   "It was in {season}."}};
}

Phrases coat() {
  return {.statements = {"{pet} the {species} is {coat}.", "{pet} is {coat:a} {species}.",
                         "{coat:Cap} is the colour of {pet}.", "{x}'s {species} {pet} is {coat}.",
                         "The colour of {pet} is {coat}."},
          .questions = {"What colour is {pet}?", "Which colour is {pet}?",
                        "What is the colour of {pet}?", "Tell me the colour of {pet}.",
                        "Do you know the colour of {pet}?", "What colour is the {species} {pet}?",
                        "What colour does {pet} have?", "What colour is {x}'s {species} {pet}?"},
          .held_out = {"Which colour does {pet} have?", "Tell me what colour {pet} is.",
                       "Do you know what colour {pet} is?"},
          .follow_up = "",
          .answer = "{pet} is {coat}.",
          .also = {"{coat}", "The colour of {pet} is {coat}.", "{pet} is {coat:a} {species}."}};
}

Phrases toy() {
  return {.statements = {"{pet} likes to play with {toy:a}.", "{pet}'s toy is {toy:a}.",
                         "{pet} plays with {toy:a} all day.",
                         "{x}'s {species} {pet} plays with {toy:a}.", "{toy:A} is {pet}'s toy."},
          .questions = {"What does {pet} like to play with?", "What is {pet}'s toy?",
                        "Which toy does {pet} have?", "What does {pet} play with?",
                        "Tell me {pet}'s toy.", "Do you know what {pet} plays with?",
                        "What toy does {pet} like?", "What does the {species} {pet} play with?",
                        "What does {pet} play with all day?"},
          .held_out = {"What toy does {pet} have?", "Tell me what {pet} likes to play with.",
                       "Which toy does {pet} play with?"},
          .follow_up = "",
          .answer = "{pet} likes to play with {toy:a}.",
          .also = {"{toy:a}", "{toy}", "{pet} plays with {toy:a}.", "{pet}'s toy is {toy:a}."}};
}

Phrases sight() {
  return {
      .statements = {"{place} is known for its {sight}.", "In {place} there is {sight:a}.",
                     "The {sight} stands in {place}.", "People visit {place} to see the {sight}.",
                     "The pride of {place} is its {sight}.",
                     "The village with the {sight} is {place}."},
      .questions = {"What is {place} known for?", "What can I see in {place}?",
                    "What do people visit in {place}?", "What is the pride of {place}?",
                    "Tell me what {place} is known for.", "What is there to see in {place}?",
                    "What is the village of {place} known for?",
                    "Do you know the pride of {place}?", "What do people see in {place}?"},
      .held_out = {"Do you know what {place} is known for?", "Tell me what I can see in {place}.",
                   "What can people visit in {place}?"},
      .follow_up = "",
      .answer = "{place} is known for its {sight}.",
      .also = {"{sight}", "{sight:a}", "the {sight}", "its {sight}",
               "In {place} there is {sight:a}."}};
}

Phrases nature() {
  return {.statements = {"{place} lies by {nature}.", "Next to {place} is {nature}.",
                         "{place} is a village by {nature}.", "{place} is next to {nature}.",
                         "Those who live in {place} live by {nature}."},
          .questions = {"What does {place} lie by?", "Where does {place} lie?",
                        "What is next to {place}?", "What lies next to {place}?",
                        "Tell me where {place} lies.", "Do you know where {place} lies?",
                        "What is {place} next to?", "Where is {place}?",
                        "What does the village of {place} lie by?"},
          .held_out = {"Tell me what lies next to {place}.", "Do you know what {place} lies by?",
                       "Do you know where {place} is?"},
          .follow_up = "",
          .answer = "{place} lies by {nature}.",
          .also = {"{nature}", "by {nature}", "{place} is next to {nature}."}};
}

Phrases who_job() {
  return {.statements = {},
          .questions = {"Who is the {job}?", "Who works as {job:a}?", "Which person is {job:a}?",
                        "What is the name of the {job}?", "Tell me who the {job} is.",
                        "Do you know the {job}'s name?", "Who earns a living as {job:a}?",
                        "What is the {job} called?", "Whose job is {job}?"},
          .held_out = {"Tell me who works as {job:a}.", "Do you know who the {job} is?",
                       "Which person works as {job:a}?"},
          .follow_up = "",
          .answer = "{x} is the {job}.",
          .also = {"{x}", "{x} is {job:a}.", "The {job} is {x}.", "{x} works as {job:a}."}};
}

Phrases who_thing() {
  return {
      .statements = {},
      .questions = {"Who owns the {thing}?", "Who is the owner of the {thing}?",
                    "Who owns the {colour} {thing}?", "Which person owns the {thing}?",
                    "Tell me who owns the {thing}.", "Do you know who owns the {colour} {thing}?",
                    "Whose {thing} is {colour}?", "Which person is the owner of the {thing}?",
                    "Who has {colour:a} {thing}?"},
      .held_out = {"Tell me who the owner of the {thing} is.",
                   "Which person owns the {colour} {thing}?", "Do you know who owns the {thing}?"},
      .follow_up = "",
      .answer = "{x} owns the {thing}.",
      .also = {"{x}", "{x} owns the {colour} {thing}.", "{x} owns {colour:a} {thing}.",
               "{x} is the owner of the {thing}."}};
}

Phrases who_pet() {
  return {.statements = {},
          .questions = {"Whose pet is {pet}?", "Who is {pet}'s owner?",
                        "Who has {species:a} called {pet}?", "Who keeps {pet}?",
                        "Tell me whose pet {pet} is.", "Which person keeps the {species} {pet}?",
                        "Whose {species} is {pet}?", "Do you know who keeps {pet}?",
                        "Who is the owner of the {species} {pet}?"},
          .held_out = {"Who is the owner of {pet}?", "Do you know whose {species} {pet} is?",
                       "Tell me who keeps {pet}."},
          .follow_up = "",
          .answer = "{pet} is {x}'s {species}.",
          .also = {"{x}", "{x}'s", "{pet} is {x}'s pet.", "{pet} is the {species} of {x}."}};
}

Phrases who_deed() {
  return {.statements = {},
          .questions = {"Who {deed}?", "Who was it that {deed}?", "Which person {deed}?",
                        "What is the name of the person who {deed}?", "Tell me who {deed}.",
                        "Who {deed} last {season}?", "Who was it that {deed} last {season}?",
                        "Somebody {deed}. Who was it?", "What is the person who {deed} called?"},
          .held_out = {"Do you know who {deed}?", "Tell me which person {deed}.",
                       "Tell me the name of the person who {deed}."},
          .follow_up = "",
          .answer = "{x} {deed}.",
          .also = {"{x}", "It was {x}.", "It was {x} who {deed}.", "{x} {deed} last {season}."}};
}

Phrases where_sight() {
  return {
      .statements = {},
      .questions = {"Where is the {sight}?", "Which village has the {sight}?",
                    "Where does the {sight} stand?", "In which village is the {sight}?",
                    "Where can I see the {sight}?", "Tell me where the {sight} is.",
                    "What is the name of the village with the {sight}?",
                    "Which village is known for its {sight}?",
                    "In which village can I see the {sight}?"},
      .held_out = {"Do you know where the {sight} is?", "In which village does the {sight} stand?",
                   "Tell me which village has the {sight}."},
      .follow_up = "",
      .answer = "The {sight} is in {place}.",
      .also = {"{place}", "In {place}", "The {sight} stands in {place}."}};
}

}  // namespace

const Phrases& english_phrases(Relation relation) {
  static const std::array<Phrases, kRelations> table = {
      home(),   job(),         food(),      hobby(),   species(),  pet(),        thing(),
      colour(), best_friend(), deed(),      season(),  coat(),     toy(),        sight(),
      nature(), who_job(),     who_thing(), who_pet(), who_deed(), where_sight()};
  return table[static_cast<size_t>(relation)];
}

}  // namespace malssi::world
