#include "io/torch_file.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "io/pickle.h"
#include "io/zip.h"

namespace malssi {
namespace {

struct StorageType {
  std::string_view torch, file;
};
constexpr std::array kStorageTypes = {
    StorageType{"FloatStorage", "F32"},     StorageType{"HalfStorage", "F16"},
    StorageType{"BFloat16Storage", "BF16"}, StorageType{"DoubleStorage", "F64"},
    StorageType{"LongStorage", "I64"},      StorageType{"IntStorage", "I32"},
    StorageType{"ShortStorage", "I16"},     StorageType{"CharStorage", "I8"},
    StorageType{"ByteStorage", "U8"},       StorageType{"BoolStorage", "BOOL"}};

const FileType& type_of(const PickledTensor& tensor, std::string_view where) {
  for (const auto& [torch, file] : kStorageTypes)
    if (torch == tensor.storage_type) return *find_file_type(file);
  throw Error(concat(where, ": tensor \"", tensor.name, "\" lies in a ", tensor.storage_type,
                     ", which holds no numbers"));
}

// Elements. Error: more than can be counted, or not in the order in which tensors have them here.
int64_t count_of(const PickledTensor& tensor, std::string_view where) {
  REQUIRE(tensor.strides.size() == tensor.shape.size(), where, ": tensor \"", tensor.name,
          "\" has ", tensor.shape.size(), " axes and ", tensor.strides.size(),
          " strides: the file is damaged");
  if (std::ranges::count(tensor.shape, 0) > 0) return 0;
  int64_t count = 1;
  for (size_t axis = tensor.shape.size(); axis-- > 0;) {
    const int64_t extent = tensor.shape[axis];
    REQUIRE(extent == 1 || tensor.strides[axis] == count, where, ": tensor \"", tensor.name,
            "\" does not lie row after row: save it with .contiguous()");
    REQUIRE(!__builtin_mul_overflow(count, extent, &count), where, ": tensor \"", tensor.name,
            "\" is too large to be true: the file is damaged");
  }
  return count;
}

// The pickle's folder: "archive/" or another name.
std::string folder_of(const StoredFiles& files, std::string_view where) {
  for (const auto& [name, content] : files)
    if (name.ends_with("/data.pkl") && std::ranges::count(name, '/') == 1)
      return name.substr(0, name.find('/') + 1);
  throw Error(concat(where, ": a zip archive without data.pkl: no file of torch.save()"));
}

Entry entry_of(const PickledTensor& tensor, const std::string& folder, const StoredFiles& files,
               std::string_view where) {
  const FileType& type = type_of(tensor, where);
  const int64_t count = count_of(tensor, where);
  const auto found = files.find(concat(folder, "data/", tensor.storage));
  REQUIRE(found != files.end(), where, ": the numbers of tensor \"", tensor.name,
          "\" are missing: the file is damaged");
  const auto held = static_cast<int64_t>(found->second.size()) / type.bytes;
  REQUIRE(tensor.storage_size <= held && tensor.offset <= tensor.storage_size &&
              count <= tensor.storage_size - tensor.offset,
          where, ": tensor \"", tensor.name, "\" wants ", count, " numbers from ", tensor.offset,
          " on, its storage has ", std::min(held, tensor.storage_size), ": the file is damaged");
  return {.name = tensor.name,
          .type = &type,
          .shape = tensor.shape,
          .bytes = found->second.subspan(static_cast<size_t>(tensor.offset * type.bytes),
                                         static_cast<size_t>(count * type.bytes))};
}

}  // namespace

bool is_torch_file(const fs::path& path) {
  return !is_folder(path) && MappedFile::open(path).text().starts_with(kZipMagic);
}

TorchFile::TorchFile(const fs::path& path) : TensorFile(path) {
  const std::string where = path.string();
  REQUIRE(file().text().starts_with(kZipMagic), where,
          ": no archive of torch.save(): a pickle from before PyTorch 1.6, which is not read, or "
          "damaged: save it again with a newer one, or convert it to safetensors");
  const StoredFiles files = read_zip(file().bytes(), where);
  const std::string folder = folder_of(files, where);
  const auto order = files.find(folder + "byteorder");
  constexpr std::byte kBig{'b'};
  REQUIRE(order == files.end() || order->second.empty() || order->second.front() != kBig, where,
          ": its numbers are big-endian, which is not read: convert it to safetensors");
  std::vector<Entry> entries;
  for (const PickledTensor& tensor :
       read_pickled_tensors(files.find(folder + "data.pkl")->second, where))
    entries.push_back(entry_of(tensor, folder, files, where));
  take(std::move(entries));
}

}  // namespace malssi
