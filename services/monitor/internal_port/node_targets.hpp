// What Prometheus is told to scrape (http_sd), and what it scrapes for nodes that only push.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/net/message.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::internal_port {

struct ShardTargets {
  std::string document;                 ///< http_sd
  std::vector<nodes::NodeRow> scraped;  ///< the nodes that are asked, of every shard
};

/// Every watched node of an enabled customer that is assigned to the shard, with `own_address` and
/// the path of its health: what was pushed, or what the node answers when it is asked from here. No
/// address of a node stands there, and none is looked up.
Result<ShardTargets> write_targets(const std::string& shard, const std::string& own_address,
                                   store::DatabaseConnection& connection);

/// The watched nodes of enabled customers that are asked.
Result<std::vector<nodes::NodeRow>> list_scraped_nodes(store::DatabaseConnection& connection);

/// The last pushed health of a node: Prometheus' text format where Accept names one with a version,
/// else JSON like the agent's own; 503 where at `looked_ms`, when its customer was last looked at,
/// none was younger than 45 s. So that what a node is said to be is never the age of our look: 503
/// for that, too, but only 45 s after it, when rules know that it is ours (live_poller.hpp).
net::Response node_health(const live::NodeLive* live, std::string_view accept,
                          std::int64_t looked_ms, std::int64_t now_ms);

}  // namespace vigia::monitor::internal_port
