#include "cli/cache_flag.h"

#include "kernels/paged.h"

namespace malssi {

void add_cache_flag(CLI::App& command, std::optional<DType>& chosen, const std::string& help) {
  std::vector<std::string> names;
  for (const DType dtype : kCacheDtypes) names.emplace_back(dtype_name(dtype));
  const auto choose = [&chosen](const std::string& name) {
    for (const DType dtype : kCacheDtypes)
      if (dtype_name(dtype) == name) chosen = dtype;
  };
  command
      .add_option_function<std::string>("--cache-type", choose,
                                        help + ": " + CLI::detail::join(names, ", "))
      ->check(CLI::IsMember(names))
      ->type_name("TYPE");
}

}  // namespace malssi
