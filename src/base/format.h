// Figures as people read them, and what this process has of the machine's memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace malssi {

// Three figures and a unit of thousands: "0", "0.25", "87", "12.3k", "124M", "1.54B", "3T".
std::string human_count(double value);
// The same with the prefixes of units: "468 GFLOP/s", "5.3 PFLOP", "12 B/s".
std::string human_quantity(double value, std::string_view unit);
// "512 B", "1.5 KiB", "3.9 GiB".
std::string human_bytes(int64_t bytes);
// "12 ms", "3.2 s", "42 s", "3m 05s", "1h 02m", "2d 03h"; "?" for what is not finite.
std::string human_seconds(double seconds);
// The shortest text that reads well in a table: four significant figures, no trailing zeros, "nan"
// and "inf" as such.
std::string human_number(double value);

// The character of UTF-8 that begins at text[at]; moves `at` past it. A broken byte counts alone,
// as U+FFFD.
char32_t next_character(std::string_view text, size_t& at);
// Columns that UTF-8 text takes on a terminal: two for Hangul, Han and the like, none for combining
// marks.
int64_t display_width(std::string_view text);
// The longest beginning of the text that fits the columns, ending with "…" when something was cut;
// never splits a character.
std::string fit_width(std::string_view text, int64_t columns);

// Resident memory of this process now, and the most it ever was; 0 where the system does not tell.
int64_t process_memory_bytes();
int64_t peak_memory_bytes();
// Of the machine.
int64_t machine_memory_bytes();

}  // namespace malssi
