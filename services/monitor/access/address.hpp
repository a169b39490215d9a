// Addresses that our side will connect to because somebody typed them in: nodes' /health and alert
// channels. Checked so that nobody can make the provider's own machines the target (S18).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::monitor::access {

/// What may be connected to besides public addresses. Link-local, the cloud metadata addresses,
/// multicast, broadcast and unspecified are never allowed, nor the same written as mapped IPv6.
struct AddressPolicy {
  bool allow_loopback = false;
  bool allow_private = false;  ///< 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7
};

/// Whether a literal address may be connected to; kInvalid with the reason. Only the plain forms of
/// IPv4 ("192.0.2.1") and IPv6 are literals: decimal, octal and hex forms are refused.
Result<void> check_ip(std::string_view literal, const AddressPolicy& policy);

/// resolve_checked for what needs no name server: an address that is a literal, or can be none and
/// no name either. Nothing where it is a name.
std::optional<Result<std::string>> check_literal(std::string_view host_and_port,
                                                 const AddressPolicy& policy);

/// Splits "host:port" or "[ipv6]:port", resolves a name once and checks every address that it has.
/// Gives the first address with the port, "192.0.2.1:8080": connect to that, not to the name, which
/// may point elsewhere a moment later. kInvalid with the reason; kUnavailable where the name cannot
/// be resolved now. Blocks on names.
Result<std::string> resolve_checked(std::string_view host_and_port, const AddressPolicy& policy);

/// An agent's /health as it is entered: "host:port", or "https://host:port" where it has TLS.
struct HealthAddress {
  bool is_encrypted = false;
  std::string_view host_and_port;
};
HealthAddress split_health_address(std::string_view text);

/// The "host:port" of an http:// or https:// URL (443 or 80 where it names no port), by its text
/// alone. kInvalid for another scheme, a user name, a host or port that cannot be one.
Result<std::string> host_of_url(std::string_view url);

/// resolve_checked for the host of a URL.
Result<void> check_url(std::string_view url, const AddressPolicy& policy);

}  // namespace vigia::monitor::access
