#include "services/agent/own_address.hpp"

#include <array>
#include <climits>
#include <optional>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <unistd.h>

#include "services/agent/host/proc_text.hpp"

namespace vigia::agent {

namespace {

struct Address {
  std::string host;
  std::string port;
};

/// "host:port", "[::1]:port".
Address split_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {std::string(text), ""};
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {std::string(host), std::string(text.substr(colon + 1))};
}

bool has_port(const Address& address) {
  const auto port = host::parse_counter(address.port);
  return !address.host.empty() && port && *port <= USHRT_MAX;
}

/// Host and port of an http:// or https:// URL without a path; nothing of any other text.
std::optional<Address> split_endpoint(std::string_view endpoint) {
  std::string default_port;
  if (endpoint.starts_with("http://")) {
    endpoint.remove_prefix(7);
    default_port = "80";
  } else if (endpoint.starts_with("https://")) {
    endpoint.remove_prefix(8);
    default_port = "443";
  } else {
    return std::nullopt;
  }
  if (endpoint.empty() || endpoint.find_first_of("/?#@ \t") != std::string_view::npos) {
    return std::nullopt;
  }
  const bool names_port = endpoint.rfind(':') != std::string_view::npos && endpoint.back() != ']';
  if (names_port && !is_address(endpoint)) return std::nullopt;
  Address address = names_port ? split_address(endpoint)
                               : split_address(std::string(endpoint) + ":" + default_port);
  return address;
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

std::string own_host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

/// True for an address of one of this host's interfaces, and for all of 127.0.0.0/8.
bool is_of_this_host(const std::string& host) {
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

bool is_address(std::string_view text) { return has_port(split_address(text)); }

bool is_endpoint(std::string_view text) { return split_endpoint(text).has_value(); }

bool is_own_address(const std::string& endpoint, const std::string& listen) {
  const auto target = split_endpoint(endpoint);
  const Address own = split_address(listen);
  if (!target || own.port == "0" ||
      host::parse_counter(target->port) != host::parse_counter(own.port)) {
    return false;
  }
  if (target->host == own.host) return true;
  const bool is_local_name = target->host == "localhost" || target->host == own_host_name();
  // To connect to 0.0.0.0 is to connect to this host.
  if (is_wildcard(target->host)) return own.host == "127.0.0.1" || is_wildcard(own.host);
  if (is_wildcard(own.host)) return is_local_name || is_of_this_host(target->host);
  return is_local_name && (own.host == "127.0.0.1" || own.host == "::1" || own.host == "localhost");
}

}  // namespace vigia::agent
