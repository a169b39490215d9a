// Who really asks, where requests come through proxies of the provider's own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::monitor::access {

/// The proxies whose word is taken for whom they ask. Thread contract: immutable.
class DoorProxies {
 public:
  DoorProxies() = default;
  /// "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". kInvalid for anything else.
  static Result<DoorProxies> parse(const std::vector<std::string>& networks);

  /// The peer, or where the peer is trusted: the last address in Forwarded (RFC 7239) or
  /// X-Forwarded-For, read from the right, that is not one of the trusted. What a client writes
  /// itself stands further left and is never reached. "192.0.2.1" or "[2001:db8::1]", with the port
  /// where it is known; the peer where a header cannot be read.
  std::string client_of(const net::RequestHead& head) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;  ///< IPv4 as mapped IPv6
  struct Network {
    Bytes address;
    unsigned bits;
  };
  bool is_trusted(const std::string& address) const;

  std::vector<Network> networks_;
};

/// Whom an address is, for shares and throttles: the host; of IPv6 its first 64 bits, since whoever
/// has one address of them has them all.
std::string caller_key(std::string_view address);

}  // namespace vigia::monitor::access
