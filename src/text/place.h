// Where a stretch of text stands: some tokenizers treat the start of a text specially.
#pragma once

namespace malssi {

enum class Place { start, inside };

}  // namespace malssi
