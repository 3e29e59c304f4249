// How an embedding model's folder says that texts become vectors: sentence-transformers' files.
#pragma once

#include <string>

#include "base/file.h"

namespace malssi {

// "cls", "mean", "last", "max" or "other", as 1_Pooling/config.json says; empty where there is no such file.
std::string folder_pooling(const fs::path& folder);
// Whether modules.json ends in a step that makes every vector's length 1.
bool folder_normalizes(const fs::path& folder);

}  // namespace malssi
