// Checked reading of a request's JSON: every mistake is an ApiError 400 that names the field, what it is, and what it should be.
// Members that are null count as absent; members that nobody asks for are ignored.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace malssi {

class Fields {
 public:
  // path: what the object itself is called, as "messages[2]"; empty: it is the whole request. Throws where it is no object.
  explicit Fields(const Json& object, std::string path = {});

  // "messages[2].content".
  std::string name(std::string_view key) const;
  // The member, or null where it is absent.
  const Json* find(std::string_view key) const;
  // Throws where it is absent.
  const Json& need(std::string_view key) const;

  // Nothing where it is absent. Both ends are allowed values.
  std::optional<double> number(std::string_view key, double least, double most) const;
  std::optional<int64_t> integer(std::string_view key, int64_t least, int64_t most) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::string need_text(std::string_view key) const;
  // A text that is one of these.
  std::optional<std::string> choice(std::string_view key,
                                    std::initializer_list<std::string_view> known) const;
  const Json* list(std::string_view key, int64_t longest) const;
  const Json* object(std::string_view key) const;

  // Says of a member what is wrong with it.
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

 private:
  const Json& json_;
  std::string path_;
};

// Throws ApiError 400: "FIELD is VALUE, expected EXPECTED". Long values are cut.
[[noreturn]] void refuse_field(const std::string& field, const Json& value,
                               std::string_view expected);

}  // namespace malssi
