// What the configuration says of nodes.
#pragma once

#include "libs/service/config.hpp"
#include "services/monitor/access/address.hpp"

namespace vigia::monitor::nodes {

struct NodeSettings {
  /// Nodes are often reached through a VPN, so private addresses are usual; operators alone enter
  /// them.
  access::AddressPolicy addresses{false, true};
};

/// Of the key `nodes`; what cannot be is noted at its key.
NodeSettings read_nodes(const service::ConfigNode& node);

}  // namespace vigia::monitor::nodes
