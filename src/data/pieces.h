// Cuts long documents into pieces that can be encoded one by one.
#pragma once

#include <cstdint>
#include <string_view>

namespace malssi {

// Length of the first piece of a text, at most limit (> 3) bytes; the whole text if it is no
// longer. A piece ends where the GPT-2 and Llama-3 split patterns begin a new word anyway, so that
// the pieces' ids in a row are the text's: after a line end, or before a space, that stands alone
// between visible characters. Text without such a place in its second half is cut between
// characters.
int64_t piece_length(std::string_view text, int64_t limit);

}  // namespace malssi
