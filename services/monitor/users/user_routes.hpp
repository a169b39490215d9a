// People who log in: a customer's users and the operators.
#pragma once

#include <functional>
#include <string>

#include "libs/base/clock.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/database.hpp"
#include "services/monitor/users/password.hpp"

namespace vigia::monitor::users {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct UserParts {
  store::Database& database;
  const Clock& clock;
  PasswordHasher& hasher;
  /// Ends the user's sessions, in the transaction that takes the right to them.
  std::function<Result<void>(const std::string& user_id, store::DatabaseConnection&)> end_sessions;
};

void add_user_routes(api::ApiTable& table, UserParts parts);

}  // namespace vigia::monitor::users
