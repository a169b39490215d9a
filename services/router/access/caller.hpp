// Who asks, and whose data that opens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/router/access/query_limits.hpp"

namespace vigia::router::access {

struct Caller {
  std::optional<CustomerId> customer;  ///< every answer stays inside it; none: an operator, all
  std::string hot_shard;               ///< the customer's; empty where there is none or unknown
  TimestampMs assigned_ms = 0;         ///< since when that shard holds the customer
  std::uint64_t active_series = 0;     ///< that the customer may have at once; 0: no limit, unknown
  QueryLimits limits;                  ///< of each query; an operator's over all: the router's own

  bool is_operators = false;  ///< the token is; whatever customer it names

  /// Where the customer's series are split by node: all its shards, hot_shard the first; else
  /// empty.
  std::vector<std::string> hot_shards = {};

  /// The name under which what it holds is counted; "" for operators over all customers.
  std::string payer() const { return customer ? customer->text() : ""; }
};

}  // namespace vigia::router::access
