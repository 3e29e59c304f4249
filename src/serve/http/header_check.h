// The strict reading of a request's header (RFC 9112). What the standard lets a server mend or ignore is refused: two programs
// in a row that mend differently can be made to see different requests.
#pragma once

#include <cstdint>
#include <string_view>

namespace malssi {

// header: the request line and fields with the empty line that ends them. Throws ApiError: 400, 417 for an Expect that is not
// 100-continue, 431 for too many fields, 501 for other transfer codings, 505 for other versions.
void check_header(std::string_view header, int64_t max_fields);

// Whether bytes of an unfinished header can still become a good one; previous is the byte before them (0 at the start).
bool may_begin_header(std::string_view bytes, char previous);

}  // namespace malssi
