// Writes a JSON document as text, from left to right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/json/value.hpp"

namespace vigia::json {

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

}  // namespace vigia::json
