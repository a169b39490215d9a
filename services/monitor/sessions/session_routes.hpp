// Logging in and out, one's own password and sessions.
#pragma once

#include "libs/base/clock.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/sessions/authenticator.hpp"
#include "services/monitor/store/database.hpp"
#include "services/monitor/users/password.hpp"

namespace vigia::monitor::sessions {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct SessionParts {
  store::Database& database;
  const Clock& clock;
  Authenticator& authenticator;
  users::PasswordHasher& hasher;
};

void add_session_routes(api::ApiTable& table, SessionParts parts);

}  // namespace vigia::monitor::sessions
