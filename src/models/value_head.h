// A value head: one number for a sequence, made from its last token's hidden state, in place of the output layer. So reward
// models are published: "...ForSequenceClassification" with one label, and a tensor score.weight [1, width].
#pragma once

#include <memory>
#include <string_view>

#include "base/json.h"
#include "models/model.h"

namespace malssi {

// The model under a value head of zeros: head() is that head's weight; an output layer of its own is no parameter any more.
std::unique_ptr<Model> with_value_head(std::unique_ptr<Model> body);

bool has_value_head(const Model& model);
// The head alone, to be trained beside an adapter: named "score", as an adapter's files have it.
Parameter trained_value_head(Model& model);

// Whether a Hugging Face config.json of a decoder describes one: a classifier with one label that is not said to be regression.
// Throws Error naming `where`.
bool value_head_from_hf(const Json& json, std::string_view where);
// Says so in a config.json that describes the body.
void put_value_head(const Model& model, Json& json);

}  // namespace malssi
