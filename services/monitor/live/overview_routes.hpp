// What is going on: the overview, a node's curves, what this installation is.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/duration.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/live/live_poller.hpp"
#include "services/monitor/live/own_outages.hpp"
#include "services/monitor/live/router_queries.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::live {

/// What pages show of how this installation is set up.
struct Installation {
  Duration node_down_for{0};
  bool has_standard_waits = true;  ///< of node_down_for; a demo or a test has others
  bool is_provider_told = false;
  Duration kept{0};            ///< how far back curves go; 0: for ever
  std::string collector_grpc;  ///< shown to who adds a node
  std::string collector_http;
  std::string router;
};

/// Everything outlives the table. Thread contract: the functions run on workers.
struct OverviewParts {
  store::Database& database;
  const Clock& clock;
  const LivePoller& live;
  RouterQueries& router;
  OwnRecords& own_records;
  Installation installation;
};

void add_overview_routes(api::ApiTable& table, OverviewParts parts);

}  // namespace vigia::monitor::live
