// The model that an align run changes: all of it, or an adapter beside its frozen weights, which switched off gives the model
// that training began from.
#pragma once

#include <optional>

#include "train/align/align_config.h"
#include "train/run/trained.h"
#include "train/tune/student.h"

namespace malssi {

// From a checkpoint where there is one (which without an adapter is the model), else config.align.model. Where the method makes
// a reward model it has a value head; else a reward model is refused. Throws Error.
Student load_aligned(const AlignConfig& config, const std::optional<fs::path>& checkpoint);

// What is trained of the student, which must outlive it. With align.lora the student's own weights are frozen; a value head is
// trained with the adapter.
Trained begin_trained(const AlignConfig& config, Student& student);

}  // namespace malssi
