// How what Prometheus makes itself is healed from it (README.md, "Healing from hot").
#pragma once

#include <optional>
#include <string>

#include "libs/net/client.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::healing {

struct HealSettings {
  std::string prometheus;                     ///< the hot store's URL; "": nothing is healed
  std::optional<net::TlsClientSettings> tls;  ///< where that is https
  /// A stretch that is compared at once, on multiples of itself, and what a customer waits for
  /// after a failure.
  Duration interval = std::chrono::hours(1);
  /// How long a stretch must be over: until then Prometheus may be about to send it.
  Duration settle = std::chrono::minutes(10);
  /// Where a first start begins: so long ago. Whoever comes later begins with what is over then.
  Duration back = std::chrono::hours(24 * 7);
};

/// Of the key `heal`; off where it is absent.
HealSettings read_heal(const service::ConfigNode& node);

}  // namespace vigia::storage::healing
