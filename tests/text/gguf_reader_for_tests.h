// The tokenizer's keys of a GGUF file, read with the least that tests need: a trusted, small,
// little-endian file.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "text/gguf_vocabulary.h"

namespace malssi {

class TestGguf {
 public:
  explicit TestGguf(const fs::path& path) : bytes_(read_file(path)) {
    CHECK(take(4) == "GGUF");
    number<uint32_t>();
    number<uint64_t>();
    const auto keys = number<uint64_t>();
    for (uint64_t i = 0; i < keys; ++i) {
      const std::string key(text());
      value(key, number<uint32_t>());
    }
  }

  GgufVocabulary vocabulary() {
    GgufVocabulary v;
    v.model = first("model", "");
    v.pre = first("pre", "");
    v.tokens = texts_["tokenizer.ggml.tokens"];
    v.merges = texts_["tokenizer.ggml.merges"];
    for (const double score : numbers_["tokenizer.ggml.scores"])
      v.scores.push_back(static_cast<float>(score));
    for (const double type : numbers_["tokenizer.ggml.token_type"])
      v.types.push_back(static_cast<int32_t>(type));
    for (const double byte : numbers_["tokenizer.ggml.precompiled_charsmap"])
      v.precompiled_charsmap += static_cast<char>(static_cast<int>(byte));
    v.bos_id = id("bos_token_id"), v.eos_id = id("eos_token_id");
    v.unk_id = id("unknown_token_id"), v.sep_id = id("seperator_token_id");
    v.pad_id = id("padding_token_id"), v.cls_id = id("cls_token_id");
    v.mask_id = id("mask_token_id");
    v.add_bos = flag("add_bos_token"), v.add_eos = flag("add_eos_token");
    v.add_space_prefix = flag("add_space_prefix");
    v.remove_extra_whitespaces = flag("remove_extra_whitespaces");
    return v;
  }

 private:
  std::string_view take(uint64_t size) {
    CHECK(size <= bytes_.size() - at_);
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }
  template <class T>
  T number() {
    T out;
    std::memcpy(&out, take(sizeof(T)).data(), sizeof(T));
    return out;
  }
  std::string_view text() { return take(number<uint64_t>()); }
  double scalar(uint32_t type) {
    switch (type) {
      case 0:
      case 7:
        return number<uint8_t>();
      case 1:
        return number<int8_t>();
      case 2:
        return number<uint16_t>();
      case 3:
        return number<int16_t>();
      case 4:
        return number<uint32_t>();
      case 5:
        return number<int32_t>();
      case 6:
        return number<float>();
      case 10:
        return static_cast<double>(number<uint64_t>());
      case 11:
        return static_cast<double>(number<int64_t>());
      default:
        return number<double>();
    }
  }
  void value(const std::string& key, uint32_t type) {
    constexpr uint32_t kText = 8, kList = 9;
    const bool list = type == kList;
    const uint32_t item = list ? number<uint32_t>() : type;
    const uint64_t count = list ? number<uint64_t>() : 1;
    for (uint64_t i = 0; i < count; ++i) {
      if (item == kText)
        texts_[key].emplace_back(text());
      else
        numbers_[key].push_back(scalar(item));
    }
  }
  std::string first(const char* key, const char* fallback) {
    const auto& all = texts_[concat("tokenizer.ggml.", key)];
    return all.empty() ? fallback : all[0];
  }
  int32_t id(const char* key) {
    const auto& all = numbers_[concat("tokenizer.ggml.", key)];
    return all.empty() ? -1 : static_cast<int32_t>(all[0]);
  }
  std::optional<bool> flag(const char* key) {
    const auto& all = numbers_[concat("tokenizer.ggml.", key)];
    return all.empty() ? std::nullopt : std::optional<bool>(all[0] != 0);
  }

  std::string bytes_;
  size_t at_ = 0;
  std::map<std::string, std::vector<std::string>> texts_;
  std::map<std::string, std::vector<double>> numbers_;
};

}  // namespace malssi
