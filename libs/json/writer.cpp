#include "libs/json/writer.hpp"

#include <cmath>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/base/rfc3339.hpp"

namespace vigia::json {

namespace {

constexpr std::int64_t kMsPerSecond = 1'000;

}  // namespace

// Whatever is complete owes a comma to what comes next to it, and a begin or a key owes none: so no
// call has to know where it stands.
void JsonWriter::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

// Each gives the writer back, so that a small object is one expression.
JsonWriter& JsonWriter::begin_object() {
  separate();
  text_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  text_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  text_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  text_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  text_ += json_text(name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  text_ += json_text(value);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  text_ += fmt::format("{}", value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  // JSON has no NaN and no infinity.
  if (!std::isfinite(value)) return null();
  separate();
  text_ += fmt::format("{}", value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  text_ += "null";
  return *this;
}

// Recursion is bounded: what was parsed is no deeper than kJsonDepthMax.
JsonWriter& JsonWriter::value(const JsonValue& value) {
  if (value.is_object()) {
    begin_object();
    for (const auto& [name, member] : value.members()) key(name).JsonWriter::value(member);
    return end_object();
  }
  if (value.is_array()) {
    begin_array();
    for (const auto& item : value.items()) this->value(item);
    return end_array();
  }
  if (const auto text = value.text()) return string(*text);
  if (const auto whole = value.integer()) return integer(*whole);
  if (const auto real = value.number()) return number(*real);
  if (const auto flag = value.boolean()) return boolean(*flag);
  return null();
}

JsonWriter& JsonWriter::member(std::string_view name, std::string_view value) {
  return key(name).string(value);
}

JsonWriter& JsonWriter::member(std::string_view name, std::int64_t value) {
  return key(name).integer(value);
}

JsonWriter& JsonWriter::member_bool(std::string_view name, bool value) {
  return key(name).boolean(value);
}

JsonWriter& JsonWriter::member_number(std::string_view name, std::optional<double> value) {
  key(name);
  return value ? number(*value) : null();
}

JsonWriter& JsonWriter::member_or_null(std::string_view name,
                                       const std::optional<std::string>& value) {
  key(name);
  return value ? string(*value) : null();
}

JsonWriter& JsonWriter::member_time(std::string_view name, std::int64_t time_ms) {
  key(name);
  if (time_ms == 0) return null();
  const auto text = format_rfc3339(time_ms - time_ms % kMsPerSecond);
  return text ? string(*text) : null();
}

}  // namespace vigia::json
