// Nodes in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::nodes {

struct NodeRow {
  CustomerId customer;
  NodeId id;
  std::string region;
  std::string environment;
  std::string address;        ///< host:port of the agent's /health; "" for one that only pushes
  bool is_automatic = false;  ///< registered itself by pushing
  std::int64_t created_ms = 0;
  std::int64_t retired_ms = 0;    ///< 0: watched
  std::int64_t last_seen_ms = 0;  ///< newest health or sample, to the minute; 0: never

  bool is_scraped() const { return !address.empty(); }
};

/// What a change names; the rest stays as it is in the database at that moment, so that two changes
/// at once never undo each other.
struct NodeChange {
  std::optional<std::string> region = {};
  std::optional<std::string> environment = {};
  std::optional<std::string> address = {};  ///< "" makes it one that only pushes
};

/// Watched nodes of every customer, by customer and id.
Result<std::vector<NodeRow>> list_all_nodes(store::DatabaseConnection& connection);
/// Watched nodes of one customer, by id.
Result<std::vector<NodeRow>> list_nodes(const CustomerId& customer,
                                        store::DatabaseConnection& connection);
/// Watched or retired.
Result<std::optional<NodeRow>> find_node(const CustomerId& customer, const NodeId& id,
                                         store::DatabaseConnection& connection);
/// Inserts, or brings a retired node back with these values. False where it is watched already.
Result<bool> register_node(const NodeRow& node, store::DatabaseConnection& connection);
/// False where it is not watched.
Result<bool> change_node(const CustomerId& customer, const NodeId& id, const NodeChange& change,
                         store::DatabaseConnection& connection);
Result<bool> retire_node(const CustomerId& customer, const NodeId& id, std::int64_t now_ms,
                         store::DatabaseConnection& connection);
Result<void> note_seen(const CustomerId& customer, const NodeId& id, std::int64_t seen_ms,
                       store::DatabaseConnection& connection);

}  // namespace vigia::monitor::nodes
