# The large headers that nearly every file includes, parsed once: halves the time of a build from scratch.
# malssi_precompiled(TARGET [SET]): TARGET uses them; the tests have a SET of their own, with GoogleTest.
option(MALSSI_PCH "Precompile the large headers" ON)

function(malssi_header_set name)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cc "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE OpenMP::OpenMP_CXX fmt::fmt nlohmann_json::nlohmann_json
    tomlplusplus::tomlplusplus CLI11::CLI11 malssi_warnings)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map>
    <memory> <optional> <set> <span> <sstream> <string> <string_view> <unordered_map> <vector> <nlohmann/json.hpp> ${ARGN})
endfunction()

if(MALSSI_PCH)
  malssi_header_set(malssi_headers)
endif()

function(malssi_precompiled target)
  set(headers malssi_headers ${ARGN})
  list(GET headers -1 headers)
  if(MALSSI_PCH)
    target_precompile_headers(${target} REUSE_FROM ${headers})
  endif()
endfunction()
