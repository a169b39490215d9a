// Nodes of a customer.
#pragma once

#include "libs/base/clock.hpp"
#include "services/monitor/access/address.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::nodes {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct NodeParts {
  store::Database& database;
  const Clock& clock;
  access::AddressPolicy addresses;  ///< that a node may have
};

void add_node_routes(api::ApiTable& table, NodeParts parts);

}  // namespace vigia::monitor::nodes
