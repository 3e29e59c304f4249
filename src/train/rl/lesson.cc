#include "train/rl/lesson.h"

namespace malssi {
namespace {

Json to_json(const Rollout& each) {
  return {{"prompt_number", each.prompt_number}, {"prompt", each.prompt},   {"answer", each.answer},
          {"log_probs", each.log_probs},         {"entropy", each.entropy}, {"ended", each.ended}};
}

Rollout rollout_from(const Json& json, std::string_view where) {
  Rollout each;
  each.prompt_number = get<int64_t>(json, "prompt_number", where);
  each.prompt = get<std::vector<int32_t>>(json, "prompt", where);
  each.answer = get<std::vector<int32_t>>(json, "answer", where);
  each.log_probs = get<std::vector<float>>(json, "log_probs", where);
  each.entropy = get<double>(json, "entropy", where);
  each.ended = get<bool>(json, "ended", where);
  return each;
}

template <class Number>
void check_fit(const std::vector<std::vector<Number>>& rows, const Lesson& lesson, bool may_lack,
               std::string_view where) {
  bool fits = rows.size() == lesson.answers.size() || (may_lack && rows.empty());
  for (size_t i = 0; fits && i < rows.size(); ++i)
    fits = rows[i].size() == lesson.answers[i].answer.size();
  REQUIRE(fits, where, ": a lesson whose numbers do not fit its answers: damaged");
}

}  // namespace

Json Lesson::to_json() const {
  Json json = {{"before", before},
               {"reference", reference},
               {"advantages", advantages},
               {"updates", updates}};
  json["answers"] = Json::array();
  for (const Rollout& each : answers) json["answers"].push_back(malssi::to_json(each));
  return json;
}

Lesson Lesson::from_json(const Json& json, std::string_view where) {
  Lesson lesson;
  for (const Json& each : get<std::vector<Json>>(json, "answers", where))
    lesson.answers.push_back(rollout_from(each, where));
  lesson.before = get<std::vector<std::vector<float>>>(json, "before", where);
  lesson.reference = get<std::vector<std::vector<float>>>(json, "reference", where);
  lesson.advantages = get<std::vector<std::vector<double>>>(json, "advantages", where);
  lesson.updates = get<int64_t>(json, "updates", where);
  check_fit(lesson.before, lesson, true, where);
  check_fit(lesson.reference, lesson, true, where);
  check_fit(lesson.advantages, lesson, false, where);
  for (const Rollout& each : lesson.answers)
    REQUIRE(!each.prompt.empty() && !each.answer.empty() && lesson.updates >= 0, where,
            ": a lesson with an empty answer: damaged");
  return lesson;
}

}  // namespace malssi
