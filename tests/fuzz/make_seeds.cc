// Writes each target's seeds: FOLDER/TARGET/NAME.   usage: make_fuzz_seeds FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz/targets.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: make_fuzz_seeds FOLDER\n");
    return 2;
  }
  for (const malssi::fuzz::Target& target : malssi::fuzz::targets()) {
    const auto folder = std::filesystem::path(arguments[1]) / target.name;
    std::filesystem::create_directories(folder);
    for (const auto& [name, content] : target.seeds())
      if (!(std::ofstream(folder / name, std::ios::binary) << content).flush()) return 1;
  }
  return 0;
}
