// POST /v1/embeddings.
#pragma once

#include "serve/api/call.h"

namespace malssi {

void answer_embeddings(Hub& hub, Call call);

}  // namespace malssi
