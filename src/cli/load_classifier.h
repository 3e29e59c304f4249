// A classifier for commands that label texts: a folder, or a base model and the adapter that makes it one.
#pragma once

#include <string>

#include "base/console.h"
#include "cli/lora_flags.h"
#include "infer/classify.h"
#include "io/model_folder.h"

namespace malssi {

// adapters of the result: those of the flags. An adapter's labels are named as the base's config.json names that many, else
// LABEL_0, LABEL_1, ..., as transformers does. Error: nothing here has labels.
LoadedModel load_classifier(const std::string& model, const std::string& dtype,
                            const LoraFlags& lora);

// The texts as it reads them; tells how many were too long.
std::vector<ClassifierText> read_texts(const LoadedModel& loaded,
                                       const std::vector<std::string_view>& texts,
                                       Console& console);

}  // namespace malssi
