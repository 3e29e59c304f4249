#include "text/normalizer.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "text/utf8.h"

namespace malssi {
namespace {

// Pieces are cut before an ASCII character: nothing composes across it.
constexpr int64_t kPiece = int64_t{1} << 20;

utf8proc_option_t options_of(Normalization form) {
  int options = UTF8PROC_STABLE;
  options |= form == Normalization::nfc || form == Normalization::nfkc ? UTF8PROC_COMPOSE
                                                                       : UTF8PROC_DECOMPOSE;
  if (form == Normalization::nfkc || form == Normalization::nfkd) options |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(options);
}

void append_normalized(std::string& out, std::string_view valid, Normalization form) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                   static_cast<utf8proc_ssize_t>(valid.size()), &mapped, options_of(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  REQUIRE(size >= 0, "normalisation: ", utf8proc_errmsg(size));
  out.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(size));
}

}  // namespace

Normalization normalization_named(std::string_view name) {
  if (name == "NFC") return Normalization::nfc;
  if (name == "NFD") return Normalization::nfd;
  if (name == "NFKC") return Normalization::nfkc;
  if (name == "NFKD") return Normalization::nfkd;
  throw Error(concat("normalizer '", name, "' is not supported (known: NFC, NFD, NFKC, NFKD)"));
}

std::string normalize(std::string_view text, Normalization form) {
  if (form == Normalization::none) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t valid = static_cast<size_t>(valid_utf8_prefix(text.substr(0, 2 * kPiece)));
    for (size_t cut = kPiece; cut < valid; ++cut)
      if (static_cast<uint8_t>(text[cut]) < 0x80) valid = cut;
    if (valid > 0) append_normalized(out, text.substr(0, valid), form);
    text.remove_prefix(valid);
    if (text.empty() || valid > 0) continue;
    const auto broken = static_cast<size_t>(decode_utf8(text, 0).length);
    out += text.substr(0, broken);
    text.remove_prefix(broken);
  }
  return out;
}

}  // namespace malssi
