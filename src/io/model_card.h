// The model card: README.md of a model folder, in the form that model hubs read.
#pragma once

#include <string>

#include "io/model_folder.h"

namespace malssi {

std::string model_card_text(const ModelCard& card, Model& model, const Tokenizer& tokenizer,
                            const ChatTemplate* chat);

}  // namespace malssi
