#include "services/monitor/sessions/sessions.hpp"

namespace vigia::monitor::sessions {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, token_sha256, user_id, created_ms, last_used_ms, expires_ms, address, user_agent "
    "FROM sessions ";

SessionRow read_session(const store::Row& row) {
  return SessionRow{row.text(0),    row.text(1),    row.text(2), row.integer(3),
                    row.integer(4), row.integer(5), row.text(6), row.text(7)};
}

Result<void> run(store::DatabaseConnection& connection, std::string_view sql,
                 const std::vector<store::Value>& values) {
  auto done = connection.execute(sql, values);
  if (!done) return forward(done);
  return {};
}

}  // namespace

Result<void> insert_session(const SessionRow& session, store::DatabaseConnection& connection) {
  return run(connection,
             "INSERT INTO sessions (id, token_sha256, user_id, created_ms, last_used_ms, "
             "expires_ms, address, user_agent) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)",
             {session.id, session.token_sha256, session.user_id, session.created_ms,
              session.last_used_ms, session.expires_ms, session.address, session.user_agent});
}

Result<std::optional<SessionRow>> find_session(const std::string& token_sha256,
                                               store::DatabaseConnection& connection) {
  auto rows = connection.query(std::string(kSelect) + "WHERE token_sha256 = :h", {token_sha256});
  if (!rows) return forward(rows);
  if (rows->empty()) return std::nullopt;
  return std::optional(read_session(rows->front()));
}

Result<std::vector<SessionRow>> list_sessions(const std::string& user_id,
                                              store::DatabaseConnection& connection) {
  auto rows = connection.query(
      std::string(kSelect) + "WHERE user_id = :u ORDER BY created_ms DESC, id", {user_id});
  if (!rows) return forward(rows);
  std::vector<SessionRow> sessions;
  for (const auto& row : *rows) sessions.push_back(read_session(row));
  return sessions;
}

Result<void> touch_session(const std::string& id, std::int64_t now_ms,
                           store::DatabaseConnection& connection) {
  return run(connection, "UPDATE sessions SET last_used_ms = :a WHERE id = :b", {now_ms, id});
}

// The user stands in the statement, not in a look before it: nobody ends another's session by its
// id, and no time lies between the question and the deed.
Result<bool> end_session(const std::string& user_id, const std::string& id,
                         store::DatabaseConnection& connection) {
  auto done =
      connection.execute("DELETE FROM sessions WHERE id = :a AND user_id = :b", {id, user_id});
  if (!done) return forward(done);
  return *done > 0;
}

Result<void> end_other_sessions(const std::string& user_id, const std::string& kept_id,
                                store::DatabaseConnection& connection) {
  return run(connection, "DELETE FROM sessions WHERE user_id = :a AND id <> :b",
             {user_id, kept_id});
}

Result<void> end_sessions_of_customer(const std::string& customer_id,
                                      store::DatabaseConnection& connection) {
  return run(connection,
             "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE customer_id = :a)",
             {customer_id});
}

}  // namespace vigia::monitor::sessions
