#include "services/monitor/json/json.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/base/rfc3339.hpp"
#include "services/monitor/limits.hpp"

namespace vigia::monitor::json {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;

namespace dom = simdjson::dom;

const JsonValue kNull;
const JsonValue::Array kNoItems;
const JsonValue::Object kNoMembers;

Result<JsonValue> convert(dom::element element);

Result<JsonValue> convert_array(dom::array array) {
  JsonValue::Array items;
  items.reserve(array.size());
  for (const dom::element item : array) {
    auto value = convert(item);
    if (!value) return forward(value);
    items.push_back(std::move(*value));
  }
  return JsonValue(std::move(items));
}

Result<JsonValue> convert_object(dom::object object) {
  JsonValue::Object members;
  std::vector<std::string_view> names;
  for (const auto& [name, element] : object) {
    auto value = convert(element);
    if (!value) return forward(value);
    names.push_back(name);
    members.emplace_back(std::string(name), std::move(*value));
  }
  std::sort(names.begin(), names.end());
  // Refused, since readers differ in which one counts (RFC 8259, section 4). Sorted views, so that
  // it costs n log n: a comparison of each with each could be asked for by strangers.
  const auto doubled = std::adjacent_find(names.begin(), names.end());
  if (doubled != names.end()) {
    return fail(ErrorCode::kInvalid, fmt::format("the field {} stands there twice", *doubled));
  }
  return JsonValue(std::move(members));
}

// Recursion is bounded: the parser has refused anything deeper than kJsonDepthMax.
Result<JsonValue> convert(dom::element element) {
  switch (element.type()) {
    case dom::element_type::ARRAY:
      return convert_array(dom::array(element));
    case dom::element_type::OBJECT:
      return convert_object(dom::object(element));
    case dom::element_type::INT64:
      return JsonValue(std::int64_t{element});
    case dom::element_type::UINT64:
      // Above INT64_MAX; as a double it would become another number without a word.
      return fail(ErrorCode::kInvalid, "an integer is too large");
    case dom::element_type::DOUBLE:
      return JsonValue(double{element});
    case dom::element_type::STRING:
      return JsonValue(std::string(std::string_view{element}));
    case dom::element_type::BOOL:
      return JsonValue(bool{element});
    default:
      return JsonValue();
  }
}

}  // namespace

const JsonValue& JsonValue::operator[](std::string_view key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return value;
  }
  return kNull;
}

bool JsonValue::has(std::string_view key) const {
  return std::any_of(members().begin(), members().end(),
                     [&](const auto& member) { return member.first == key; });
}

const JsonValue::Array& JsonValue::items() const {
  const auto* array = std::get_if<Array>(&value_);
  return array != nullptr ? *array : kNoItems;
}

const JsonValue::Object& JsonValue::members() const {
  const auto* object = std::get_if<Object>(&value_);
  return object != nullptr ? *object : kNoMembers;
}

std::optional<std::string> JsonValue::text() const {
  const auto* value = std::get_if<std::string>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<std::int64_t> JsonValue::integer() const {
  const auto* value = std::get_if<std::int64_t>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

std::optional<double> JsonValue::number() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  const auto whole = integer();
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::optional<bool> JsonValue::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

Result<JsonValue> parse_json(std::string_view text) {
  dom::parser parser(kAnswerBytesMax);
  // Allocated by hand because only this call takes a depth.
  if (parser.allocate(std::max<std::size_t>(text.size(), 64), kJsonDepthMax) != simdjson::SUCCESS) {
    return fail(ErrorCode::kUnavailable, "no memory for a JSON document");
  }
  dom::element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  if (failure != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not a JSON document: {}", simdjson::error_message(failure)));
  }
  return convert(root);
}

void JsonWriter::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

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

}  // namespace vigia::monitor::json
