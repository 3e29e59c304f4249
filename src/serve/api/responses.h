// POST /v1/responses: OpenAI's newer API, for texts and calls of functions. Nothing is stored, so an answer cannot go on from an
// earlier one's id: the input holds the whole conversation.
#pragma once

#include "serve/api/call.h"

namespace malssi {

void answer_response(Hub& hub, Call call);

}  // namespace malssi
