// Just enough of PyTorch's checkpoints (a zip of stored files, data.pkl among them) to read a dictionary of f32 tensors in a
// test. The program itself reads no pickles.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace malssi {

class TorchFileForTests {
 public:
  explicit TorchFileForTests(std::string bytes) : bytes_(std::move(bytes)) {
    walk(stored("archive/data.pkl"));
  }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

 private:
  // A file inside, found by its local header: name at 30, then the extra field, then the content.
  std::string_view stored(const std::string& name) const {
    const std::string_view all = bytes_;
    size_t at = 0;
    while ((at = all.find("PK\3\4", at)) != all.npos) {
      const auto name_size = number<uint16_t>(all, at + 26), extra = number<uint16_t>(all, at + 28);
      if (all.substr(at + 30, name_size) == name) {
        const size_t begin = at + 30 + name_size + extra;
        return all.substr(begin);
      }
      at += 4;
    }
    throw Error("no file " + name);
  }

  template <class T>
  static T number(std::string_view text, size_t at) {
    T value;
    CHECK(at + sizeof(T) <= text.size(), "the file is too short");
    std::memcpy(&value, text.data() + at, sizeof(T));
    return value;
  }

  // Protocol 2's operations, of which only texts, numbers and pairs matter: a name, then (storage, key, device, size) Q,
  // offset, shape, strides.
  void walk(std::string_view pickle) {
    std::string name, key;
    std::vector<int64_t> numbers;
    bool wants_shape = false;
    for (size_t at = 0; pickle[at] != '.';) {
      const char op = pickle[at++];
      switch (op) {
        case '\x80':
        case 'q':
        case 'h':
          at += 1;
          break;
        case 'r':
        case 'j':
          at += 4;
          break;
        case 'c':
          at = pickle.find('\n', pickle.find('\n', at) + 1) + 1;
          break;
        case 'K':
          numbers.push_back(number<uint8_t>(pickle, at));
          at += 1;
          break;
        case 'M':
          numbers.push_back(number<uint16_t>(pickle, at));
          at += 2;
          break;
        case 'J':
          numbers.push_back(number<int32_t>(pickle, at));
          at += 4;
          break;
        case 'X': {
          const auto size = number<uint32_t>(pickle, at);
          const std::string text(pickle.substr(at + 4, size));
          at += 4 + size;
          if (text.find('.') != text.npos) name = text;
          if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) key = text;
          break;
        }
        case 'Q':
          wants_shape = true;
          break;
        case '\x85':
        case '\x86':
          if (wants_shape) add(name, key, {numbers.end() - (op == '\x85' ? 1 : 2), numbers.end()});
          wants_shape = false;
          break;
        default:
          CHECK(std::string_view(")(Rtu}s\x89").find(op) != std::string_view::npos, "operation ",
                static_cast<int>(op), " at ", at);
      }
    }
  }

  void add(const std::string& name, const std::string& key, const std::vector<int64_t>& dims) {
    const Tensor t = Tensor::empty(dims.size() == 1 ? Shape{dims[0]} : Shape{dims[0], dims[1]});
    const std::string_view bytes = stored("archive/data/" + key);
    CHECK(static_cast<int64_t>(bytes.size()) >= t.bytes(), "storage ", key, " is too short");
    std::memcpy(t.f32(), bytes.data(), static_cast<size_t>(t.bytes()));
    tensors_[name] = t;
  }

  std::string bytes_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace malssi
