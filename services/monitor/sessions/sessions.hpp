// Log-in sessions in the database: the cookie's SHA-256, never the cookie (A4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/monitor/store/database.hpp"

namespace vigia::monitor::sessions {

struct SessionRow {
  std::string id;  ///< shown to the user; not the cookie
  std::string token_sha256;
  std::string user_id;
  std::int64_t created_ms = 0;
  std::int64_t last_used_ms = 0;
  std::int64_t expires_ms = 0;
  std::string address;
  std::string user_agent;

  /// Neither past its absolute end nor idle for too long.
  bool is_valid(std::int64_t now_ms, std::int64_t idle_max_ms) const {
    return now_ms < expires_ms && now_ms - last_used_ms <= idle_max_ms;
  }
};

Result<void> insert_session(const SessionRow& session, store::DatabaseConnection& connection);
Result<std::optional<SessionRow>> find_session(const std::string& token_sha256,
                                               store::DatabaseConnection& connection);
/// Newest first.
Result<std::vector<SessionRow>> list_sessions(const std::string& user_id,
                                              store::DatabaseConnection& connection);
Result<void> touch_session(const std::string& id, std::int64_t now_ms,
                           store::DatabaseConnection& connection);
/// False where that user has no such session.
Result<bool> end_session(const std::string& user_id, const std::string& id,
                         store::DatabaseConnection& connection);
/// All of a user but the one with that id ("" for none).
Result<void> end_other_sessions(const std::string& user_id, const std::string& kept_id,
                                store::DatabaseConnection& connection);
Result<void> end_sessions_of_customer(const std::string& customer_id,
                                      store::DatabaseConnection& connection);

}  // namespace vigia::monitor::sessions
