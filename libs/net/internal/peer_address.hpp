// Whose a connection is, by its address: what counts as one peer, and who stands behind a proxy.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// The name that an address' share goes by: an IPv4 address, of an IPv6 one its /64, since a site
/// has all of that to itself. An IPv4 address mapped into IPv6 is the IPv4 address.
std::string share_name(std::string_view address);

/// Addresses and networks of reverse proxies: "127.0.0.1", "10.0.0.0/8", "fd00::/8".
class TrustedProxies {
 public:
  /// kInvalid, naming the entry that is neither.
  static Result<TrustedProxies> parse(const std::vector<std::string>& entries);
  bool is_empty() const { return networks_.empty(); }
  bool contains(std::string_view address) const;
  /// The client that a trusted proxy speaks for: the last address of X-Forwarded-For, or else of
  /// Forwarded (RFC 7239), that is not a trusted proxy itself. Nothing where none is named, or what
  /// is named there is no address.
  std::optional<std::string> client(const Headers& headers) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> bits{};  // IPv4 mapped into IPv6
    unsigned prefix = 0;
  };
  std::vector<Network> networks_;
};

}  // namespace vigia::net::internal
