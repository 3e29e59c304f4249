#include "fuzz/memory_file.h"
#include "fuzz/seeds.h"
#include "fuzz/uses.h"
#include "io/safetensors.h"

namespace malssi::fuzz {
namespace {

std::string with_header(std::string_view header, size_t data) {
  return bytes_of(static_cast<uint64_t>(header.size())) + std::string(header) +
         std::string(data, '\x40');
}

}  // namespace

void run_safetensors(std::string_view input) {
  const MemoryFile file(input);
  const Safetensors tensors(file.path());
  use(tensors);
  dump_json(tensors.metadata());
}

Seeds safetensors_seeds() {
  return {
      {"good",
       with_header(
           R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
           R"("b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},"c":{"dtype":"F64","shape":[],"data_offsets":[14,22]}})",
           22)},
      {"good_no_numbers",
       with_header(
           R"({"a":{"dtype":"BOOL","shape":[0,9],"data_offsets":[0,0]},"b":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}})",
           0)},
      {"header_past_the_end", bytes_of(uint64_t{99999999}) + "{}"},
      {"header_length_overflows", bytes_of(~uint64_t{0}) + "{}"},
      {"name_twice",
       with_header(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
           2)},
      {"shape_overflows",
       with_header(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})",
                   0)},
      {"shape_below_zero",
       with_header(R"({"a":{"dtype":"U8","shape":[-1,-4],"data_offsets":[0,4]}})", 4)},
      {"end_before_begin",
       with_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", 4)},
      {"deep", with_header(repeated("[", 10000), 0)},
      {"ten_axes",
       with_header(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
                   1)},
  };
}

}  // namespace malssi::fuzz
