#include "libs/net/media_type.hpp"

#include <algorithm>

namespace vigia::net {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return out;
}

/// Up to a semicolon that stands in no quotes.
std::string_view take_part(std::string_view& rest) {
  bool is_quoted = false;
  std::size_t end = 0;
  for (; end < rest.size(); ++end) {
    if (rest[end] == '"') is_quoted = !is_quoted;
    if (is_quoted && rest[end] == '\\') ++end;
    if (!is_quoted && end < rest.size() && rest[end] == ';') break;
  }
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string out;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

}  // namespace

MediaType::MediaType(std::string_view header) {
  type_ = lower(trimmed(take_part(header)));
  while (!header.empty()) {
    const std::string_view part = take_part(header);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    parameters_.emplace_back(lower(trimmed(part.substr(0, equals))),
                             unquoted(trimmed(part.substr(equals + 1))));
  }
}

std::string_view MediaType::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace vigia::net
