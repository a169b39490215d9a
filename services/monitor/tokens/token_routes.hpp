// Tokens of customers and of operators.
#pragma once

#include <functional>

#include "libs/base/clock.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::tokens {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct TokenParts {
  store::Database& database;
  const Clock& clock;
  std::function<void()> directory_changed;  ///< returns when readers can see it
};

void add_token_routes(api::ApiTable& table, TokenParts parts);

}  // namespace vigia::monitor::tokens
