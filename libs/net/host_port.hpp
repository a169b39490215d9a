// Where something listens: host:port and the URLs that name one. Read here once, for settings,
// addresses that people type in, and peers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::net {

/// Views of the text that was read. Whether the host is an address, a name or nonsense is for whom
/// it matters.
struct HostPort {
  std::string_view host;              ///< without the brackets of an IPv6 address; may be empty
  std::optional<std::uint16_t> port;  ///< nothing where the text names none; 0 is one
  bool is_bracketed = false;
};

/// "host:port", "host", "[ipv6]:port", "[ipv6]", and the bare "ipv6", which cannot name a port:
/// "::1:80" is an address whole. Nothing where brackets are no pair, something stands behind them
/// that is no port, or the port is not a number from 0 to 65535.
std::optional<HostPort> split_host_port(std::string_view text);

/// "host:port", or "[host]:port" where the host is an IPv6 address.
std::string join_host_port(std::string_view host, std::uint16_t port);

/// The host of a text that tells of a peer, as it stands there: behind it there may be any port,
/// "_x" (RFC 7239, section 6) too, and the text may be no address at all.
std::string_view host_of_peer(std::string_view text);

/// Views of a URL's parts, escapes as they came.
struct UrlParts {
  std::string_view scheme;                    ///< "https"
  std::optional<std::string_view> user_info;  ///< what stands before the last @ of the authority
  HostPort server;
  std::string_view rest;  ///< from the first of / ? # behind the authority: "" where there is none
};

/// Parts of scheme://[user-info@]host[:port][rest]. Nothing where the scheme is not there or the
/// host and port are none for split_host_port. Escapes and the characters of the parts are not
/// looked at.
std::optional<UrlParts> split_url(std::string_view url);

}  // namespace vigia::net
