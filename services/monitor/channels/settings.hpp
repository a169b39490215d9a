// What the configuration says of channels.
#pragma once

#include "libs/service/config.hpp"
#include "services/monitor/access/address.hpp"

namespace vigia::monitor::channels {

struct ChannelSettings {
  /// Customers enter them, and what they lead to is called from inside the provider's network.
  access::AddressPolicy addresses{false, false};
};

/// Of the key `allow_private_targets` of `alerting`; what cannot be is noted at its key.
ChannelSettings read_channels(const service::ConfigNode& alerting);

}  // namespace vigia::monitor::channels
