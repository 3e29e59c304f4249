#include "train/align/align_data.h"

#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "data/mixture.h"
#include "train/run/too_long.h"

namespace malssi {
namespace {

std::vector<Preference> load(const fs::path& file, const AlignSettings& settings,
                             Console& console) {
  PreferenceData data =
      load_preferences(file, settings.method.kind(), {.skip_invalid = settings.skip_invalid});
  if (data.invalid > 0)
    console.warn(concat(file.string(), ": ", data.invalid,
                        " malformed records left out; the first: ", data.first_invalid));
  if (data.undecided > 0)
    console.warn(concat(file.string(), ": ", data.undecided,
                        " records left out, whose answers are the same or empty"));
  return std::move(data.records);
}

}  // namespace

Preferences load_preference_sets(const AlignConfig& config, Console& console) {
  const AlignSettings& align = config.align;
  Preferences all;
  if (!align.val.empty()) all.validation = load(align.val, align, console);
  for (const MixPart& part : mix_parts(align.data)) {
    std::vector<Preference> records = load(part.file, align, console);
    for (Preference& record : records) record.weight = part.weight;
    if (align.val.empty() && align.val_fraction > 0) {
      const auto held = take_held_out_prompts(records, align.val_fraction,
                                              static_cast<uint64_t>(config.train.seed));
      all.validation.insert(all.validation.end(), held.begin(), held.end());
    }
    std::move(records.begin(), records.end(), std::back_inserter(all.train));
  }
  const auto most = static_cast<size_t>(config.train.eval_rows);
  if (most > 0 && all.validation.size() > most) all.validation.resize(most);
  if (align.method.judges()) {
    add_mismatched(all.train);
    if (all.validation.size() < 2) all.validation.clear();  // no answer of another record
    if (!all.validation.empty()) add_mismatched(all.validation);
  }
  return all;
}

std::string EncodedPreferences::hash() const {
  const uint64_t both[] = {train.hash(), validation ? validation->hash() : 0};
  return hash_text(hash64(std::as_bytes(std::span(both))));
}

EncodedPreferences encode_preference_sets(const Preferences& all, const Student& student,
                                          const PreferenceSetOptions& options) {
  EncodedPreferences encoded{
      .train = PreferenceSet(all.train, *student.tokenizer, student.chat, options),
      .validation = {}};
  if (!all.validation.empty())
    encoded.validation.emplace(all.validation, *student.tokenizer, student.chat, options);
  return encoded;
}

void tell(const EncodedPreferences& data, Console& console) {
  const auto count = [](int64_t n) { return human_count(static_cast<double>(n)); };
  const PreferenceSet& train = data.train;
  console.note(concat("preferences: ", count(train.size()), " to learn from (",
                      count(train.tokens()), " tokens), ",
                      data.validation ? count(data.validation->size()) : "0", " to validate on"));
  const auto too_long = [&](const PreferenceSet& set, const char* records) {
    tell_too_long({.records = records,
                   .all = set.size() + set.dropped(),
                   .left_out = set.dropped(),
                   .most = set.context(),
                   .settings = "an answer with its prompt; align.context"},
                  console);
  };
  too_long(train, "preferences");
  if (data.validation) too_long(*data.validation, "preferences to validate on");
}

}  // namespace malssi
