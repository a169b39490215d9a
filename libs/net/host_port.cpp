#include "libs/net/host_port.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace vigia::net {
namespace {

std::optional<std::uint16_t> read_port(std::string_view digits) {
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, port);
  return fault == std::errc() && stop == end ? std::optional(port) : std::nullopt;
}

}  // namespace

std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort parts{text, std::nullopt, text.starts_with('[')};
  std::string_view rest;
  if (parts.is_bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':'); colon == text.rfind(':')) {
    parts.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (parts.host.find_first_of("[]") != std::string_view::npos) return std::nullopt;
  if (rest.empty()) return parts;
  if (!rest.starts_with(':')) return std::nullopt;
  parts.port = read_port(rest.substr(1));
  if (!parts.port) return std::nullopt;
  return parts;
}

std::string join_host_port(std::string_view host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string_view host_of_peer(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const std::size_t colon = text.find(':');
  const bool has_port = colon != std::string_view::npos && colon == text.rfind(':');
  return has_port ? text.substr(0, colon) : text;
}

std::optional<UrlParts> split_url(std::string_view url) {
  constexpr std::string_view kMark = "://";
  const std::size_t mark = url.find(kMark);
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  UrlParts parts;
  parts.scheme = url.substr(0, mark);
  const std::string_view behind = url.substr(mark + kMark.size());
  const std::size_t end = std::min(behind.find_first_of("/?#"), behind.size());
  parts.rest = behind.substr(end);
  std::string_view authority = behind.substr(0, end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const auto server = split_host_port(authority);
  if (!server) return std::nullopt;
  parts.server = *server;
  return parts;
}

}  // namespace vigia::net
