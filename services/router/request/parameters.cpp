#include "services/router/request/parameters.hpp"

#include <fmt/format.h>

#include "libs/net/form.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::request {
namespace {

constexpr std::size_t kParametersMax = 1'000;

// By hand, since a content type may be in any case and carry parameters (RFC 9110, section 8.3.1).
bool is_form(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  std::size_t length = type.size();
  while (length > 0 && type[length - 1] == ' ') --length;
  if (length != kForm.size()) return false;
  for (std::size_t i = 0; i < length; ++i) {
    const char c = type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kForm[i]) return false;
  }
  return true;
}

}  // namespace

Result<Parameters> Parameters::read(const net::Request& request) {
  Parameters parameters;
  auto of_url = net::parse_form(request.query);
  if (!of_url) return fail(ErrorCode::kInvalid, "the query string has a broken escape");
  parameters.values_ = std::move(*of_url);
  if (!request.body.empty()) {
    // Bodies of other methods have no meaning (RFC 9110, section 9.3.1), and what is in them would
    // be ignored without a word.
    if (request.method != "POST") {
      return fail(ErrorCode::kInvalid, "only a POST may have a body");
    }
    if (!is_form(request.headers.get("content-type"))) {
      return fail(ErrorCode::kInvalid, "the body must be application/x-www-form-urlencoded");
    }
    auto of_body = net::parse_form(request.body);
    if (!of_body) return fail(ErrorCode::kInvalid, "the body has a broken escape");
    for (auto& parameter : *of_body) parameters.values_.push_back(std::move(parameter));
  }
  // single() walks through all of them for each name.
  if (parameters.values_.size() > kParametersMax) {
    return fail(ErrorCode::kInvalid, fmt::format("more than {} parameters", kParametersMax));
  }
  return parameters;
}

Result<std::optional<std::string>> Parameters::single(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [key, value] : values_) {
    if (key != name) continue;
    // Prometheus takes the first. Which one a caller means cannot be told, and a proxy in front may
    // have checked the other.
    if (found && *found != value) {
      return fail(ErrorCode::kInvalid,
                  fmt::format("parameter \"{}\" stands there with different values", name));
    }
    found = value;
  }
  return found;
}

std::vector<std::string> Parameters::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : values_) {
    if (key == name) found.push_back(value);
  }
  return found;
}

Result<std::vector<std::string>> Parameters::selectors() const {
  auto texts = all("match[]");
  if (texts.size() <= kSelectorsMax) return texts;
  return fail(ErrorCode::kInvalid,
              fmt::format("{} match[] are more than {}: ask in several requests, or with one that "
                          "names all, as by =~\"a|b\"",
                          texts.size(), kSelectorsMax));
}

Result<std::optional<TimestampMs>> Parameters::time(std::string_view name) const {
  auto text = single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::optional<TimestampMs>();
  const auto time = parse_time(**text);
  if (!time) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("invalid parameter \"{}\": cannot be read as a time; give seconds since "
                    "1970 or RFC 3339",
                    name));
  }
  return std::optional<TimestampMs>(*time);
}

Result<std::optional<Duration>> Parameters::length(std::string_view name) const {
  auto length = length_or_zero(name);
  if (!length || !*length || (*length)->count() > 0) return length;
  return fail(ErrorCode::kInvalid,
              fmt::format("invalid parameter \"{}\": must be longer than 0", name));
}

Result<std::optional<Duration>> Parameters::length_or_zero(std::string_view name) const {
  auto text = single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::optional<Duration>();
  const auto length = parse_length(**text);
  if (!length) {
    return fail(ErrorCode::kInvalid,
                fmt::format("invalid parameter \"{}\": cannot be read as a duration", name));
  }
  if (length->count() < 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("invalid parameter \"{}\": must not be less than 0", name));
  }
  return std::optional<Duration>(*length);
}

}  // namespace vigia::router::request
