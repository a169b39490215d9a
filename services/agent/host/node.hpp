// Whose data it is and from where.
#pragma once

#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/agent/host/identity.hpp"

namespace vigia::agent::host {

/// What the configuration says of the node.
struct NodeSettings {
  CustomerId customer;
  std::string customer_name;  ///< "": not told, as the two below
  NodeId node;
  std::string region;
  std::string environment;
};

/// What stands on every resource: customer.id and node.id, and customer.name, node.region and
/// environment where they are configured.
std::vector<ResourceAttribute> node_attributes(const NodeSettings& settings);

}  // namespace vigia::agent::host
