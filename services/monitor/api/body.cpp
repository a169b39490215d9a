#include "services/monitor/api/body.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/characters.hpp"
#include "libs/base/rfc3339.hpp"

namespace vigia::monitor::api {

void BodyReader::note(std::string message) {
  // The first is told: later ones often follow from it.
  if (problem_.empty()) problem_ = std::move(message);
}

const json::JsonValue& BodyReader::take(std::string_view name) {
  known_.emplace(name);
  return body_[name];
}

std::optional<std::string> BodyReader::checked(std::string_view name, const json::JsonValue& value,
                                               std::size_t min, std::size_t max) {
  auto text = value.text();
  if (!text) {
    note(fmt::format("{}: a text is needed", name));
    return std::nullopt;
  }
  const auto characters = count_characters(*text);
  if (characters < min || characters > max) {
    note(fmt::format("{}: {} to {} characters", name, min, max));
    return std::nullopt;
  }
  // These texts end up in logs, mails and configuration files, where a line's end is more than
  // text.
  const bool has_control = std::any_of(text->begin(), text->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (has_control) {
    note(fmt::format("{}: control characters are not allowed", name));
    return std::nullopt;
  }
  return text;
}

std::string BodyReader::text(std::string_view name, std::size_t min, std::size_t max) {
  const auto& value = take(name);
  if (value.is_null()) {
    note(fmt::format("{}: is missing", name));
    return {};
  }
  return checked(name, value, min, max).value_or("");
}

std::optional<std::string> BodyReader::optional_text(std::string_view name, std::size_t min,
                                                     std::size_t max) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  return checked(name, value, min, max);
}

std::optional<bool> BodyReader::optional_boolean(std::string_view name) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto boolean = value.boolean();
  if (!boolean) note(fmt::format("{}: true or false", name));
  return boolean;
}

std::optional<std::int64_t> BodyReader::optional_integer(std::string_view name, std::int64_t min,
                                                         std::int64_t max) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto integer = value.integer();
  if (!integer || *integer < min || *integer > max) {
    note(fmt::format("{}: an integer from {} to {}", name, min, max));
    return std::nullopt;
  }
  return integer;
}

std::optional<std::int64_t> BodyReader::optional_time(std::string_view name) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto text = value.text();
  const auto time = text ? parse_rfc3339(*text) : std::nullopt;
  if (!time) note(fmt::format("{}: a time as in 2026-12-31T23:59:59Z", name));
  return time;
}

const json::JsonValue& BodyReader::object(std::string_view name) {
  const auto& value = take(name);
  if (!value.is_null() && !value.is_object()) note(fmt::format("{}: an object is needed", name));
  return value;
}

std::string BodyReader::problem() const {
  if (!problem_.empty()) return problem_;
  for (const auto& [name, value] : body_.members()) {
    if (!known_.contains(name)) return fmt::format("{}: unknown field", name.substr(0, 64));
  }
  return {};
}

}  // namespace vigia::monitor::api
