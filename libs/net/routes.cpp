#include "libs/net/routes.hpp"

#include <optional>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/net/form.hpp"
#include "libs/net/status.hpp"

namespace vigia::net {

namespace {

/// The segments of a path that starts with "/"; nothing where it does not, or names "" (but for the
/// root and a trailing slash, which is a segment of its own), "." or "..".
std::optional<std::vector<std::string_view>> split_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  std::vector<std::string_view> segments;
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    if (slash == 0) return std::nullopt;
    path.remove_prefix(slash + 1);
  }
}

bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// A value that a path may carry: one segment, whatever way it is spelled.
std::optional<std::string> decode_segment(std::string_view segment, bool takes_slashes) {
  auto value = percent_decode(segment, false);
  if (!value || value->empty() || *value == "." || *value == "..") return std::nullopt;
  if (value->find('\0') != std::string::npos) return std::nullopt;
  if (!takes_slashes && value->find('/') != std::string::npos) return std::nullopt;
  return value;
}

std::optional<PathValues> match(const std::vector<std::string>& pattern,
                                const std::vector<std::string_view>& segments) {
  if (pattern.size() != segments.size()) return std::nullopt;
  PathValues values;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!is_placeholder(pattern[i])) {
      if (pattern[i] != segments[i]) return std::nullopt;
      continue;
    }
    const bool takes_slashes = pattern[i].ends_with("*}");
    auto value = decode_segment(segments[i], takes_slashes);
    if (!value) return std::nullopt;
    values.emplace(pattern[i].substr(1, pattern[i].size() - (takes_slashes ? 3 : 2)),
                   std::move(*value));
  }
  return values;
}

Response method_not_allowed(const std::string& method, const std::string& allowed,
                            ErrorForm error_form) {
  Response response = error_form(
      {ErrorCode::kInvalid, fmt::format("method {} is not allowed here; use {}", method, allowed)},
      405);
  response.headers.add("allow", allowed);
  return response;
}

Response usual_form(const Error& error, int status) {
  Response response = json_error(error);
  response.status = status;
  return response;
}

Response write(ErrorForm form, const Error& error) { return form(error, http_status(error.code)); }

}  // namespace

Routes::Routes(ErrorForm error_form)
    : error_form_(error_form == nullptr ? usual_form : error_form) {}

void Routes::add(std::string method, std::string_view pattern, RouteFunction function) {
  const auto segments = split_path(pattern);
  CHECK(segments.has_value());
  routes_.push_back(Route{std::move(method),
                          std::string(pattern),
                          {segments->begin(), segments->end()},
                          std::move(function)});
}

std::vector<std::pair<std::string, std::string>> Routes::list() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Route& route : routes_) all.emplace_back(route.method, route.pattern);
  return all;
}

void Routes::handle(Request request, Responder responder) {
  const auto segments = split_path(request.path);
  std::string allowed;
  for (const Route& route : routes_) {
    if (!segments) break;
    auto values = match(route.segments, *segments);
    if (!values) continue;
    const bool is_head = request.method == "HEAD" && route.method == "GET";
    if (request.method == route.method || is_head) {
      route.function(std::move(request), *values, std::move(responder));
      return;
    }
    if (!allowed.empty()) allowed += ", ";
    allowed += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  if (!allowed.empty()) {
    responder.send(method_not_allowed(request.method.substr(0, 32), allowed, error_form_));
    return;
  }
  responder.send(write(error_form_, {ErrorCode::kNotFound, "there is nothing at this path"}));
}

Response Routes::refuse(const RequestHead& /*head*/, const Error& error) {
  return write(error_form_, error);
}

}  // namespace vigia::net
