// The tensors that a pickle of torch.save() describes. Pickles are programs; here they are only read: of their operations those
// that build numbers, texts, tuples, lists and dictionaries, and of all callables two: collections.OrderedDict, and
// torch._utils._rebuild_tensor_v2, which says where in which storage a tensor lies. Any other is refused by its name, and
// nothing is ever imported or called.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace malssi {

struct PickledTensor {
  std::string name;
  std::string storage_type;  // "FloatStorage", ...
  std::string storage;       // the name of its file: data/{storage}
  int64_t storage_size = 0;  // numbers
  int64_t offset = 0;        // numbers
  std::vector<int64_t> shape, strides;
};

// A dictionary of tensors (a state_dict) in its order. Throws Error, which begins with `where`: another object or callable, a
// damaged pickle, one of more than kMostPickled bytes.
inline constexpr int64_t kMostPickled = int64_t{64} << 20;
std::vector<PickledTensor> read_pickled_tensors(std::span<const std::byte> pickle,
                                                std::string_view where);

}  // namespace malssi
