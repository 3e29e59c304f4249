// Labelled texts for classification and regression: {"text": .., "label": ..} as JSON Lines, a JSON array or a table, under
// whatever names their columns have. Labels are classes (strings, numbers or true and false) or, for regression, numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "data/sft.h"

namespace malssi {

struct LabelledText {
  std::string text;
  std::string label;  // of a class; empty for regression
  double value = 0;   // for regression
};

struct LabelledOptions {
  std::string text_column = "text", label_column = "label";
  bool is_regression = false;
  bool skip_invalid = false;
};

struct LabelledData {
  std::vector<LabelledText> records;
  int64_t empty_texts = 0;    // left out
  int64_t invalid = 0;        // left out because they are malformed (skip_invalid)
  std::string first_invalid;  // what the first of them says
};

// Throws Error naming file and line; also when no record is left.
LabelledData load_labelled(const fs::path& file, const LabelledOptions& options);

// The classes among the records: in numeric order where all are whole numbers, else sorted as text.
std::vector<std::string> classes_of(const std::vector<LabelledText>& records);

}  // namespace malssi
