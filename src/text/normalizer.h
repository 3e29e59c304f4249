// Unicode normalisation (UAX 15) as some tokenizers ask for it before splitting; bytes that are not
// UTF-8 stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace malssi {

enum class Normalization { none, nfc, nfd, nfkc, nfkd };

// "NFC", "NFD", "NFKC" or "NFKD". Error: another name.
Normalization normalization_named(std::string_view name);
std::string normalize(std::string_view text, Normalization form);

}  // namespace malssi
