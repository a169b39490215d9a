// JSON of the REST interface and of the neighbours' answers: a value tree to read, a writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/result.hpp"

namespace vigia::monitor::json {

/// One value. Reading a member that is not there, or is of another type, gives nothing, so that a
/// reader of a foreign answer needs no checks in between.
class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;

  JsonValue() = default;
  explicit JsonValue(bool value) : value_(value) {}
  explicit JsonValue(std::int64_t value) : value_(value) {}
  explicit JsonValue(double value) : value_(value) {}
  explicit JsonValue(std::string value) : value_(std::move(value)) {}
  explicit JsonValue(Array value) : value_(std::move(value)) {}
  explicit JsonValue(Object value) : value_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// The member, or null (the JSON value) where there is none.
  const JsonValue& operator[](std::string_view key) const;
  bool has(std::string_view key) const;
  const Array& items() const;     ///< empty for anything but an array
  const Object& members() const;  ///< empty for anything but an object
  std::optional<std::string> text() const;
  std::optional<std::int64_t> integer() const;
  std::optional<double> number() const;  ///< integers too
  std::optional<bool> boolean() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Parses one document. kInvalid: not JSON, not UTF-8, deeper than kJsonDepthMax, a doubled key, an
/// integer outside 64 bits.
Result<JsonValue> parse_json(std::string_view text);

/// Writes one document from left to right; commas are its own business. Not finite numbers become
/// null. The caller balances begin and end.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& string(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& value(const JsonValue& value);
  // A member in one call.
  JsonWriter& member(std::string_view name, std::string_view value);
  JsonWriter& member(std::string_view name, std::int64_t value);
  JsonWriter& member_bool(std::string_view name, bool value);
  JsonWriter& member_number(std::string_view name, std::optional<double> value);
  JsonWriter& member_or_null(std::string_view name, const std::optional<std::string>& value);
  /// RFC 3339 in UTC with seconds; null where the time is 0.
  JsonWriter& member_time(std::string_view name, std::int64_t time_ms);

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void separate();
  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace vigia::monitor::json
