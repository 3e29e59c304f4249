// The tokenizer.* keys of a GGUF file, as plain values.
#pragma once

#include "io/gguf.h"
#include "io/gguf_writer.h"
#include "text/gguf_vocabulary.h"

namespace malssi {

// False where the file names no tokenizer, or "none".
bool has_gguf_vocabulary(const Gguf& file);
// Error: a key of another type, a list of another length than the tokens, an id outside them; names the key.
GgufVocabulary read_gguf_vocabulary(const Gguf& file);
void put_gguf_vocabulary(const GgufVocabulary& vocabulary, GgufWriter& writer);

}  // namespace malssi
