#include "libs/json/value.hpp"

#include <algorithm>

namespace vigia::json {

namespace {

const JsonValue kNull;
const JsonValue::Array kNoItems;
const JsonValue::Object kNoMembers;

}  // namespace

const JsonValue& JsonValue::operator[](std::string_view key) const {
  // One after another: objects have a dozen members, fewer than a map of them would pay for.
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

// 7 and 7.0 are one number to JSON; which of them a writer wrote must not matter to a reader.
std::optional<double> JsonValue::number() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  const auto whole = integer();
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::optional<bool> JsonValue::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

}  // namespace vigia::json
