// Files of torch.save(): adapters' and models' .bin.
#include "fuzz/memory_file.h"
#include "fuzz/targets.h"
#include "fuzz/uses.h"
#include "io/torch_archive.h"
#include "io/torch_file.h"

namespace malssi::fuzz {

void run_torch_file(std::string_view input) {
  const MemoryFile file(input);
  const TorchFile tensors(file.path());
  use(tensors);
}

Seeds torch_file_seeds() {
  const std::string storage(24, '\x40');
  const TorchTensor good{.name = "w", .shape = {2, 3}, .strides = {3, 1}, .size = 6};
  TorchTensor outside = good, turned = good, large = good;
  outside.offset = int64_t{1} << 62;
  turned.strides = {1, 2};
  large.shape = {int64_t{1} << 40, int64_t{1} << 40};
  const auto of = [&](const TorchTensor& tensor) {
    return torch_archive(pickled_dictionary({tensor}), storage);
  };
  const std::string call = pickled_callable("posix", "system") + "(" + pickled_text("true") + "tR.";
  const std::string golden = std::string(MALSSI_SOURCE_DIR) + "/tests/io/torch/";
  return {{"good", of(good)},
          {"of_torch", read_file(golden + "protocol2.bin")},
          {"of_torch_by_protocol_4", read_file(golden + "protocol4.bin")},
          {"a_module", read_file(golden + "module.bin")},
          {"outside", of(outside)},
          {"turned", of(turned)},
          {"large", of(large)},
          {"a_call", torch_archive(call, storage)},
          {"deep", torch_archive(std::string(4096, '(') + std::string(4096, 't') + ".", storage)},
          {"compressed", zip_of({{"archive/data.pkl", "}."}}, 8)}};
}

}  // namespace malssi::fuzz
