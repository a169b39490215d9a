// The overview: customers, their nodes and how these are, as one JSON document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/model/ids.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/store/customers.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

/// Schema Overview of the contract. With a customer only that one.
Result<std::string> write_overview(const std::optional<CustomerId>& customer, const LiveState& live,
                                   std::int64_t now_ms, Connection& connection);

}  // namespace vigia::monitor
