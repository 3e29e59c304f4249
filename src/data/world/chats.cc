#include "data/world/chats.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/error.h"
#include "data/world/dialogues.h"
#include "data/world/instructions.h"

namespace malssi::world {
namespace {

// Collects chats of one world.
class Collector {
 public:
  Collector(const World& world, const Split& split, Rng& rng)
      : world_(world), split_(split), rng_(rng) {}

  void questions(int64_t wordings) {
    for (const Fact& fact : split_.asked)
      for (const Language language : kLanguages) ask(fact, language, wordings);
  }
  void sums(int64_t count) {
    for (const SumStyle style : {SumStyle::plain, SumStyle::steps}) {
      for (int64_t i = 0; i < count; ++i) {
        const Sum& sum = rng_.pick(split_.sums.train);
        const Language language = rng_.pick(kLanguages);
        add({ask_sum(sum, style, language, rng_), answer_sum(sum, style, language)});
      }
    }
  }
  void sentences(int64_t times) {
    for (const Fact& fact : split_.reworded) {
      for (const Language language : kLanguages) {
        for (int64_t i = 0; i < times; ++i) {
          add(translation(world_, fact, language, Wording::trained, rng_));
          if (auto task = rewriting(world_, fact, language, Wording::trained, rng_)) add(*task);
        }
      }
    }
  }
  void remarks(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const Language language = kLanguages[static_cast<size_t>(i % 2)];
      const Remark remark = make_remark(world_, rng_);
      add(translation(remark, language, Wording::trained, rng_));
      add(rewriting(make_remark(world_, rng_), language, Wording::trained, rng_));
    }
  }
  void descriptions(int64_t times) {
    for (const Language language : kLanguages) {
      for (int64_t i = 0; i < times; ++i) {
        for (int64_t person = 0; person < std::ssize(world_.people); ++person)
          add(description(world_, person, language, Wording::trained, rng_));
        for (const Group& group : groups(world_))
          add(listing(group, language, Wording::trained, rng_));
      }
    }
  }
  void summaries(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const Language language = kLanguages[static_cast<size_t>(i % 2)];
      add(summary(make_story(world_, language, rng_), language, Wording::trained, rng_));
    }
  }
  void dialogues(int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      chats_.push_back(make_dialogue(world_, split_, kLanguages[static_cast<size_t>(i % 2)], rng_));
  }
  void talk(int64_t times) {
    for (int64_t i = 0; i < times; ++i)
      for (const Language language : kLanguages)
        for (Conversation& chat : small_talk(language)) chats_.push_back(std::move(chat));
  }
  std::vector<Conversation> take() {
    rng_.shuffle(std::span<Conversation>(chats_));
    return std::move(chats_);
  }

 private:
  void add(Task task) {
    chats_.push_back({{"user", std::move(task.message)}, {"assistant", std::move(task.reply)}});
  }
  // The fact in `wordings` different training wordings, some after a polite opening.
  void ask(const Fact& fact, Language language, int64_t wordings) {
    static const std::vector<std::string_view> english = {"Hello! ", "I have a question. ",
                                                          "Please help me. "},
                                               korean = {"안녕하세요! ", "질문이 있어요. ",
                                                         "궁금한 게 있어요. "};
    std::vector<std::string_view> patterns = phrases(fact.relation, language).questions;
    rng_.shuffle(std::span<std::string_view>(patterns));
    patterns.resize(std::min(patterns.size(), static_cast<size_t>(wordings)));
    for (const std::string_view pattern : patterns) {
      const std::string_view opening =
          rng_.chance(0.15) ? rng_.pick(language == Language::english ? english : korean) : "";
      add({concat(opening, fill(pattern, slots_of(world_, fact), language)),
           answer_of(world_, fact, language)});
    }
  }

  const World& world_;
  const Split& split_;
  Rng& rng_;
  std::vector<Conversation> chats_;
};

}  // namespace

std::vector<Conversation> make_chats(const World& world, const Split& split,
                                     const ChatCounts& counts, Rng& rng) {
  Collector collector(world, split, rng);
  collector.questions(counts.wordings);
  collector.sums(counts.sums);
  collector.sentences(counts.translations);
  collector.remarks(counts.remarks);
  collector.descriptions(counts.descriptions);
  collector.summaries(counts.summaries);
  collector.dialogues(counts.dialogues);
  collector.talk(counts.small_talk);
  return collector.take();
}

}  // namespace malssi::world
