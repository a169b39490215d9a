#include "services/monitor/store/history.hpp"

#include <algorithm>

namespace vigia::monitor::store {

Result<History> read_history(DatabaseConnection& connection) {
  auto rows = connection.query(
      "SELECT database_id, revision, directory_revision, customers_removed, confirmed_revision "
      "FROM history",
      {});
  if (!rows) return forward(rows);
  if (rows->size() != 1) {
    return fail(ErrorCode::kCorrupt, "table history: it has to hold exactly one row");
  }
  const Row& row = rows->front();
  return History{row.text(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4)};
}

Result<DatabaseMark> count_write(DatabaseConnection& connection) {
  auto counted = connection.execute("UPDATE history SET revision = revision + 1", {});
  if (!counted) return forward(counted);
  auto history = read_history(connection);
  if (!history) return forward(history);
  return DatabaseMark{history->database, history->revision};
}

Result<History> confirm_history(std::int64_t revision_above, std::int64_t directory_revision_above,
                                DatabaseConnection& connection) {
  auto history = read_history(connection);
  if (!history) return forward(history);
  // Above both, whichever is ahead: the database's own count, or what others have been served.
  history->revision = std::max(history->revision, revision_above) + 1;
  history->directory_revision = std::max(history->directory_revision, directory_revision_above) + 1;
  history->confirmed_revision = history->directory_revision;
  auto written = connection.execute(
      "UPDATE history SET revision = :a, directory_revision = :b, confirmed_revision = :c",
      {history->revision, history->directory_revision, history->confirmed_revision});
  if (!written) return forward(written);
  return *history;
}

}  // namespace vigia::monitor::store
