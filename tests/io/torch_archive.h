// Files of torch.save(), made without it: pickles with any operations, and zip archives around them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace malssi {

// Little-endian, so many bytes.
inline std::string little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// The operations of a pickle that tensors need.
inline std::string pickled_text(std::string_view text) {
  return "X" + little(text.size(), 4) + std::string(text);
}
inline std::string pickled_number(int64_t value) {
  return std::string("\x8a\x08") + little(static_cast<uint64_t>(value), 8);
}
inline std::string pickled_callable(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string pickled_tuple(const std::vector<int64_t>& numbers) {
  std::string text = "(";
  for (const int64_t number : numbers) text += pickled_number(number);
  return text + "t";
}

struct TorchTensor {
  std::string name;
  std::vector<int64_t> shape, strides;
  int64_t size = 0;    // of its storage, numbers
  int64_t offset = 0;  // numbers
  std::string type = "FloatStorage";
  std::string key = "0";
};

inline std::string pickled_tensor(const TorchTensor& t) {
  return pickled_callable("torch._utils", "_rebuild_tensor_v2") + "((" + pickled_text("storage") +
         pickled_callable("torch", t.type) + pickled_text(t.key) + pickled_text("cpu") +
         pickled_number(t.size) + "tQ" + pickled_number(t.offset) + pickled_tuple(t.shape) +
         pickled_tuple(t.strides) + "\x89" + pickled_callable("collections", "OrderedDict") +
         ")RtR";
}

inline std::string pickled_dictionary(const std::vector<TorchTensor>& tensors) {
  std::string text = "\x80\x02}(";
  for (const TorchTensor& t : tensors) text += pickled_text(t.name) + pickled_tensor(t);
  return text + "u.";
}

using ZipFiles = std::vector<std::pair<std::string, std::string>>;

// method: 0 = stored.
inline std::string zip_of(const ZipFiles& files, int method = 0) {
  std::string zip, list;
  for (const auto& [name, content] : files) {
    const std::string sizes = little(0, 4) + little(content.size(), 4) + little(content.size(), 4),
                      common = little(0, 2) + little(static_cast<uint64_t>(method), 2) +
                               little(0, 4) + sizes + little(name.size(), 2) + little(0, 2);
    list += "PK\1\2" + little(20, 2) + little(20, 2) + common + little(0, 2) + little(0, 2) +
            little(0, 2) + little(0, 4) + little(zip.size(), 4) + name;
    zip += "PK\3\4" + little(20, 2) + common + name + content;
  }
  return zip + list + "PK\5\6" + little(0, 4) + little(files.size(), 2) + little(files.size(), 2) +
         little(list.size(), 4) + little(zip.size(), 4) + little(0, 2);
}

inline std::string torch_archive(const std::string& pickle, const std::string& storage) {
  return zip_of({{"archive/data.pkl", pickle}, {"archive/data/0", storage}});
}

}  // namespace malssi
