// The preferences of a run: read, held out, encoded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/console.h"
#include "data/preference.h"
#include "train/align/align_config.h"
#include "train/tune/student.h"

namespace malssi {

struct Preferences {
  std::vector<Preference> train, validation;
};

// What the config names, in records of the kind that its method learns from; what was left out is told. Throws Error.
Preferences load_preference_sets(const AlignConfig& config, Console& console);

// Both sets in tokens.
struct EncodedPreferences {
  PreferenceSet train;
  std::optional<PreferenceSet> validation;

  const PreferenceSet* held_out() const { return validation ? &*validation : nullptr; }
  std::string hash() const;
};

EncodedPreferences encode_preference_sets(const Preferences& all, const Student& student,
                                          const PreferenceSetOptions& options);

// How many there are, and how many did not fit.
void tell(const EncodedPreferences& data, Console& console);

}  // namespace malssi
