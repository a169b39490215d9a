#include "services/monitor/api/body.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/base/characters.hpp"
#include "libs/base/rfc3339.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kProblemsToldMax = 10;
constexpr std::size_t kUnknownNameBytesMax = 64;

}  // namespace

void BodyReader::note(std::string_view name, std::string_view problem) {
  // Of one field the first is told: later ones often follow from it.
  if (wrong_.emplace(name).second) problems_.push_back(fmt::format("{}: {}", name, problem));
}

const json::JsonValue& BodyReader::take(std::string_view name) {
  known_.emplace(name);
  return body_[name];
}

std::optional<std::string> BodyReader::checked(std::string_view name, const json::JsonValue& value,
                                               std::size_t min, std::size_t max) {
  auto text = value.text();
  if (!text) {
    note(name, "a text is needed");
    return std::nullopt;
  }
  const auto characters = count_characters(*text);
  if (characters < min || characters > max) {
    note(name, fmt::format("{} to {} characters", min, max));
    return std::nullopt;
  }
  // These texts end up in logs, mails and configuration files, where a line's end is more than
  // text.
  const bool has_control = std::any_of(text->begin(), text->end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (has_control) {
    note(name, "control characters are not allowed");
    return std::nullopt;
  }
  return text;
}

std::string BodyReader::text(std::string_view name, std::size_t min, std::size_t max) {
  const auto& value = take(name);
  if (value.is_null()) {
    note(name, "is missing");
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

std::optional<std::vector<std::string>> BodyReader::optional_texts(std::string_view name,
                                                                   std::size_t count_max,
                                                                   std::size_t max) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_array() || value.items().empty() || value.items().size() > count_max) {
    note(name, fmt::format("a list of 1 to {} texts", count_max));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const auto& item : value.items()) {
    auto text = checked(name, item, 1, max);
    if (!text) return std::nullopt;
    texts.push_back(*std::move(text));
  }
  return texts;
}

std::optional<bool> BodyReader::optional_boolean(std::string_view name) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto boolean = value.boolean();
  if (!boolean) note(name, "true or false");
  return boolean;
}

std::optional<std::int64_t> BodyReader::optional_integer(std::string_view name, std::int64_t min,
                                                         std::int64_t max) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto integer = value.integer();
  if (!integer || *integer < min || *integer > max) {
    note(name, fmt::format("an integer from {} to {}", min, max));
    return std::nullopt;
  }
  return integer;
}

std::optional<std::int64_t> BodyReader::optional_time(std::string_view name) {
  const auto& value = take(name);
  if (value.is_null()) return std::nullopt;
  const auto text = value.text();
  const auto time = text ? parse_rfc3339(*text) : std::nullopt;
  if (!time) note(name, "a time as in 2026-12-31T23:59:59Z");
  return time;
}

const json::JsonValue& BodyReader::object(std::string_view name) {
  const auto& value = take(name);
  if (!value.is_null() && !value.is_object()) note(name, "an object is needed");
  return value;
}

std::string BodyReader::problem() const {
  auto problems = problems_;
  for (const auto& [name, value] : body_.members()) {
    if (known_.contains(name)) continue;
    problems.push_back(fmt::format("{}: unknown field", name.substr(0, kUnknownNameBytesMax)));
  }
  // A body of strangers may hold thousands.
  const std::size_t told = std::min(problems.size(), kProblemsToldMax);
  auto text = fmt::format(
      "{}", fmt::join(problems.begin(),
                      std::next(problems.begin(), static_cast<std::ptrdiff_t>(told)), "; "));
  if (told < problems.size()) text += fmt::format("; and {} more", problems.size() - told);
  return text;
}

}  // namespace vigia::monitor::api
