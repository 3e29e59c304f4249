// POST /v1/chat/completions.
#pragma once

#include "serve/api/call.h"

namespace malssi {

void answer_chat(Hub& hub, Call call);

}  // namespace malssi
