#include "services/agent/own_address.hpp"

#include <array>
#include <climits>
#include <optional>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <unistd.h>

#include "libs/net/host_port.hpp"

namespace vigia::agent {

namespace {

/// host:port with both.
std::optional<net::HostPort> split_address(std::string_view text) {
  const auto parts = net::split_host_port(text);
  return parts && parts->port && !parts->host.empty() ? parts : std::nullopt;
}

/// Host and port of an http:// or https:// URL without a path; nothing of any other text.
std::optional<net::HostPort> split_endpoint(std::string_view endpoint) {
  const auto url = net::split_url(endpoint);
  if (!url || (url->scheme != "http" && url->scheme != "https")) return std::nullopt;
  net::HostPort server = url->server;
  const bool is_bare_ipv6 = !server.is_bracketed && server.host.find(':') != std::string_view::npos;
  if (url->user_info || !url->rest.empty() || server.host.empty() || is_bare_ipv6 ||
      server.host.find_first_of(" \t") != std::string_view::npos) {
    return std::nullopt;
  }
  if (!server.port) server.port = url->scheme == "https" ? 443 : 80;
  return server;
}

bool is_wildcard(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

std::string own_host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

/// True for an address of one of this host's interfaces, and for all of 127.0.0.0/8.
bool is_of_this_host(std::string_view host) {
  if (host.starts_with("127.") || host == "::1") return true;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return false;
  bool is_found = false;
  for (const ifaddrs* entry = first; entry != nullptr && !is_found; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    char text[INET6_ADDRSTRLEN] = {};
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto* address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr);
      ::inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text));
    }
    is_found = host == text;
  }
  ::freeifaddrs(first);
  return is_found;
}

}  // namespace

bool is_address(std::string_view text) { return split_address(text).has_value(); }

bool is_endpoint(std::string_view text) { return split_endpoint(text).has_value(); }

bool is_own_address(const std::string& endpoint, const std::string& listen) {
  const auto target = split_endpoint(endpoint);
  const auto own = split_address(listen);
  if (!target || !own || own->port == 0 || target->port != own->port) return false;
  if (target->host == own->host) return true;
  const bool is_local_name = target->host == "localhost" || target->host == own_host_name();
  // To connect to 0.0.0.0 is to connect to this host.
  if (is_wildcard(target->host)) return own->host == "127.0.0.1" || is_wildcard(own->host);
  if (is_wildcard(own->host)) return is_local_name || is_of_this_host(target->host);
  return is_local_name &&
         (own->host == "127.0.0.1" || own->host == "::1" || own->host == "localhost");
}

}  // namespace vigia::agent
