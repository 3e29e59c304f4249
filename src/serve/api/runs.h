// GET /malssi/runs and /malssi/runs/{name}: training runs of a folder, for the page's live curves.
#pragma once

#include "base/file.h"
#include "serve/http/exchange.h"

namespace malssi {

// {"runs": [{"name", "kind", "step", "steps", "updated"}]}, the last changed first. steps: null where config.toml does not say.
HttpReply list_runs(const fs::path& folder);
// {"name", "metrics": [...]}: metrics.jsonl's lines past the query's "after". ApiError 404: no such run.
HttpReply tell_run(const fs::path& folder, const HttpRequest& request);

}  // namespace malssi
