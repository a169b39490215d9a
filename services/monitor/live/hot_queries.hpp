// Asks hot stores themselves for what no other store has: how nodes answered, and what the rules
// recorded of our own parts.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/client.hpp"
#include "services/monitor/live/router_queries.hpp"

namespace vigia::monitor {

/// The router asks whichever store holds all of a customer's samples, which is not the hot one
/// where these have a hole; `up` and recorded series are in the hot store alone. So whoever calls
/// writes a query that names one customer, and gives out no answer as it is. Thread contract: any
/// thread but an event loop; blocks for at most kCurveTimeout.
class HotQueries {
 public:
  /// `shards`: name and URL of each hot store.
  HotQueries(net::Client& client, std::vector<std::pair<std::string, std::string>> shards)
      : client_(client), shards_(std::move(shards)) {}

  /// kUnavailable where that store does not answer, kNotFound where there is none of that name.
  Result<std::vector<MatrixSeries>> range(std::string_view shard, std::string_view query,
                                          const TimeGrid& grid);

 private:
  net::Client& client_;
  const std::vector<std::pair<std::string, std::string>> shards_;
};

}  // namespace vigia::monitor
