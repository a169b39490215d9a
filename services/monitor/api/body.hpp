// Reads the fields of a request's body, strictly: an unknown field or a wrong type is refused and
// named.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/json/value.hpp"

namespace vigia::monitor::api {

/// Read every field, note what else is wrong with one, then ask `problem`: whoever sent the body
/// reads of all that is wrong at once. Each reader returns a harmless value after a problem.
class BodyReader {
 public:
  explicit BodyReader(const json::JsonValue& body) : body_(body) {}
  /// A text of `min` to `max` characters (code points), none of them control characters.
  std::string text(std::string_view name, std::size_t min, std::size_t max);
  /// Nothing where the field is absent or null.
  std::optional<std::string> optional_text(std::string_view name, std::size_t min, std::size_t max);
  /// One to `count_max` texts of 1 to `max` characters each; nothing where absent or null.
  std::optional<std::vector<std::string>> optional_texts(std::string_view name,
                                                         std::size_t count_max, std::size_t max);
  std::optional<bool> optional_boolean(std::string_view name);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                               std::int64_t max);
  /// RFC 3339; nothing where absent or null.
  std::optional<std::int64_t> optional_time(std::string_view name);
  /// An object's reader needs its own `problem`; null value where absent.
  const json::JsonValue& object(std::string_view name);
  bool has(std::string_view name) const { return body_.has(name); }
  /// What is wrong, in the order of reading and then the fields that are not known, the first of
  /// each field: "id: is missing; is_admin: unknown field". "" where all is well.
  std::string problem() const;
  /// Something else is wrong with the field's value; where it was told of already nothing.
  void note(std::string_view name, std::string_view problem);

 private:
  const json::JsonValue& take(std::string_view name);
  std::optional<std::string> checked(std::string_view name, const json::JsonValue& value,
                                     std::size_t min, std::size_t max);

  const json::JsonValue& body_;
  std::set<std::string, std::less<>> known_;
  std::vector<std::string> problems_;
  std::set<std::string, std::less<>> wrong_;  ///< the fields that problems_ name
};

}  // namespace vigia::monitor::api
