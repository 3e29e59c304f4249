// Zip archives of stored files, not compressed ones (PKWARE's APPNOTE, 4.3 and 4.5): what torch.save() writes, with sizes above
// 4 GiB where it needs them. An archive is hostile until checked: every file lies inside it, and no name comes twice.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace malssi {

inline constexpr std::string_view kZipMagic = "PK\3\4";

// Name -> content, a part of `archive`. Throws Error: no zip archive, a damaged one, a file that is compressed or encrypted;
// `where` names it.
using StoredFiles = std::map<std::string, std::span<const std::byte>, std::less<>>;
StoredFiles read_zip(std::span<const std::byte> archive, std::string_view where);

}  // namespace malssi
