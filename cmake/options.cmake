# Compilers' flags and the packages every folder may ask for.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

add_library(malssi_warnings INTERFACE)
# -Wrestrict, -Warray-bounds, -Wstringop-overflow: GCC 12 sees overlaps and overruns in inlined std::string that cannot be (its bug 105651).
target_compile_options(malssi_warnings INTERFACE -Wall -Wextra -Werror -Wno-restrict -Wno-array-bounds
  -Wno-stringop-overflow)
# Tests are built once and run once: what optimising them saves is less than it costs.
set(MALSSI_TEST_OPTIONS -O1)

# Null pointers and objects' bounds are AddressSanitizer's matter; checked twice, they take a quarter of the build. The tests
# themselves are not checked for undefined behaviour, which takes another part.
if(MALSSI_SANITIZE STREQUAL "THREAD")
  # -Wtsan: Asio's fences order nothing but what its locks order already.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  add_link_options(-fsanitize=thread)
elseif(MALSSI_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,vptr,object-size -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
  set(MALSSI_TEST_OPTIONS -O0 -fno-sanitize=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

if(MALSSI_FUZZ)
  # Warnings are GCC's matter. Fast fuzzers find what crashes, hangs or trips an assertion; the others also what is read or
  # written out of place.
  add_compile_options(-w -fsanitize=fuzzer-no-link -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  if(NOT MALSSI_FUZZ STREQUAL "FAST")
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
    add_link_options(-fsanitize=address,undefined)
  endif()
endif()

find_program(MALSSI_CCACHE ccache)
if(MALSSI_CCACHE)
  # What ccache asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${MALSSI_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
