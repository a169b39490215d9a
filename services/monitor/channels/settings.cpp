#include "services/monitor/channels/settings.hpp"

namespace vigia::monitor::channels {

ChannelSettings read_channels(const service::ConfigNode& alerting) {
  const bool allows_private = alerting.child("allow_private_targets").boolean(false);
  return {access::AddressPolicy{allows_private, allows_private}};
}

}  // namespace vigia::monitor::channels
