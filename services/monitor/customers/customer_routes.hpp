// Customers: list, create, change, disable.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::customers {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct CustomerParts {
  store::Database& database;
  const Clock& clock;
  std::vector<std::string> hot_shards;  ///< where customers may be
  /// Ends the sessions of all people of a customer, in the transaction that disables it.
  std::function<Result<void>(const CustomerId&, store::DatabaseConnection&)> end_sessions;
  std::function<void()> directory_changed;  ///< returns when readers can see it
  std::function<void()> channels_changed;   ///< what channels are told has other words
};

void add_customer_routes(api::ApiTable& table, CustomerParts parts);

}  // namespace vigia::monitor::customers
