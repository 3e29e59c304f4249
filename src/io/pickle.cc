#include "io/pickle.h"

#include "base/error.h"
#include "io/pickle_machine.h"
#include "text/utf8.h"

namespace malssi {
namespace {

using Kind = Pickled::Kind;
constexpr size_t kLongestName = 1024, kMostAxes = 64;

std::vector<int64_t> numbers_of(const Pickled& tuple, const std::string& what) {
  REQUIRE(tuple.kind == Kind::tuple && tuple.items.size() <= kMostAxes, what,
          " are no short tuple: the file is damaged");
  std::vector<int64_t> numbers;
  for (const Pickled* item : tuple.items) {
    REQUIRE(item->kind == Kind::number && item->number >= 0, what,
            " are not all whole numbers from 0: the file is damaged");
    numbers.push_back(item->number);
  }
  return numbers;
}

PickledTensor tensor_of(std::string name, const Pickled& object, std::string_view where) {
  const std::string what = concat(where, ": tensor \"", name, "\": its ");
  const Pickled &storage = *object.items[0], &offset = *object.items[1];
  REQUIRE(storage.kind == Kind::storage && offset.kind == Kind::number && offset.number >= 0 &&
              storage.items[4]->number >= 0,
          what, "place in a storage is none: the file is damaged");
  return {.name = std::move(name),
          .storage_type = std::string(storage.items[1]->text),
          .storage = std::string(storage.items[2]->text),
          .storage_size = storage.items[4]->number,
          .offset = offset.number,
          .shape = numbers_of(*object.items[2], what + "extents"),
          .strides = numbers_of(*object.items[3], what + "strides")};
}

}  // namespace

std::vector<PickledTensor> read_pickled_tensors(std::span<const std::byte> pickle,
                                                std::string_view where) {
  REQUIRE(static_cast<int64_t>(pickle.size()) <= kMostPickled, where, ": a pickle of ",
          pickle.size(), " bytes; at most ", kMostPickled, " are read");
  PickleMachine machine(pickle, where);
  const Pickled& top = machine.run();
  REQUIRE(top.kind == Kind::dictionary, where,
          ": its pickle is no dictionary of tensors: save the model's state_dict");
  std::vector<PickledTensor> tensors;
  for (size_t i = 0; i + 1 < top.items.size(); i += 2) {
    const Pickled &key = *top.items[i], &value = *top.items[i + 1];
    REQUIRE(key.kind == Kind::text && key.text.size() <= kLongestName && is_valid_utf8(key.text),
            where, ": its pickle names something by what is no short text: it is no state_dict");
    REQUIRE(value.kind == Kind::tensor, where, ": its \"", key.text,
            "\" is no tensor: save the model's state_dict alone");
    tensors.push_back(tensor_of(std::string(key.text), value, where));
  }
  return tensors;
}

}  // namespace malssi
