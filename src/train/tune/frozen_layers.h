// Tuning a model's own weights, or a part of them with the others frozen.
#pragma once

#include <optional>

#include "train/run/trained.h"
#include "train/tune/sft_config.h"
#include "train/tune/student.h"

namespace malssi {

// What the settings name, or what a checkpoint, if there is one, has made of it.
Student load_tuned(const SftSettings& settings, const std::optional<fs::path>& checkpoint,
                   DType compute);

// The student's weights of which the settings tell (sft.last_layers: with the norm after them and an output layer of its own;
// sft.trainable), and the others frozen. Error: there is nothing in the part, or more layers are asked for than there are; at the
// beginning also: the model got tokens that its folder has not, and its embedding is frozen. The student must outlive it.
Trained chosen_weights(const Student& student, const SftSettings& settings,
                       const std::optional<fs::path>& checkpoint);

}  // namespace malssi
