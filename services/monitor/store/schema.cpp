#include "services/monitor/store/schema.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "services/monitor/fields/customer_fields.hpp"

namespace vigia::monitor::store {
namespace {

using Statements = std::vector<std::string_view>;

// Times are milliseconds since 1970 and 0 means never; an empty customer_id means the provider.
const Statements kVersion1 = {
    "CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, is_enabled BIGINT NOT NULL, "
    "hot_shard TEXT NOT NULL, points_per_second BIGINT NOT NULL, active_series BIGINT NOT NULL, "
    "assigned_ms BIGINT NOT NULL, created_ms BIGINT NOT NULL)",
    "CREATE TABLE users (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, name TEXT NOT NULL, "
    "name_key TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, is_enabled BIGINT NOT NULL, "
    "created_ms BIGINT NOT NULL, last_login_ms BIGINT NOT NULL)",
    "CREATE INDEX users_by_customer ON users (customer_id)",
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, "
    "user_id TEXT NOT NULL, created_ms BIGINT NOT NULL, last_used_ms BIGINT NOT NULL, "
    "expires_ms BIGINT NOT NULL, address TEXT NOT NULL, user_agent TEXT NOT NULL)",
    "CREATE INDEX sessions_by_user ON sessions (user_id)",
    "CREATE TABLE tokens (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, name TEXT NOT NULL, "
    "scope TEXT NOT NULL, token_sha256 TEXT NOT NULL UNIQUE, created_by TEXT NOT NULL, "
    "created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL, revoked_ms BIGINT NOT NULL)",
    "CREATE INDEX tokens_by_customer ON tokens (customer_id)",
    "CREATE TABLE nodes (customer_id TEXT NOT NULL, id TEXT NOT NULL, region TEXT NOT NULL, "
    "environment TEXT NOT NULL, address TEXT NOT NULL, is_automatic BIGINT NOT NULL, "
    "created_ms BIGINT NOT NULL, retired_ms BIGINT NOT NULL, last_seen_ms BIGINT NOT NULL, "
    "PRIMARY KEY (customer_id, id))",
    "CREATE TABLE channels (id TEXT PRIMARY KEY, customer_id TEXT NOT NULL, type TEXT NOT NULL, "
    "target TEXT NOT NULL, channel TEXT NOT NULL, created_ms BIGINT NOT NULL)",
    "CREATE INDEX channels_by_customer ON channels (customer_id)",
    "CREATE TABLE audit (sequence BIGINT PRIMARY KEY, time_ms BIGINT NOT NULL, "
    "actor TEXT NOT NULL, action TEXT NOT NULL, customer_id TEXT NOT NULL, object TEXT NOT NULL, "
    "detail TEXT NOT NULL, address TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE INDEX audit_by_customer ON audit (customer_id, sequence)",
};

// The audit log only grows (K1); whoever opens the file with another program is stopped as well.
const Statements kVersion1Sqlite = {
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
};
const Statements kVersion1Postgresql = {
    "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
};

// Channels that stand there were loaded by the earlier version, or refused as a whole with the
// rest: the first look sorts them. Limits: 0 is the built-in default where there is one, else none.
const Statements kVersion2 = {
    "ALTER TABLE channels ADD COLUMN state TEXT NOT NULL DEFAULT 'active'",
    "ALTER TABLE channels ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE customers ADD COLUMN spans_per_second BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE customers ADD COLUMN log_records_per_second BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE customers ADD COLUMN bytes_per_second BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE customers ADD COLUMN label_value_bytes BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE customers ADD COLUMN labels_per_series BIGINT NOT NULL DEFAULT 0",
};
// The language in which a customer is written to.
const Statements kVersion3 = {
    "ALTER TABLE customers ADD COLUMN language TEXT NOT NULL DEFAULT 'es'",
};

// Where the database stands in its own history: every write counts, and what changes the directory
// of customers and tokens counts itself, whoever does it (docs/formats/monitor-database.md).
const Statements kVersion4 = {
    "CREATE TABLE history (database_id TEXT NOT NULL, revision BIGINT NOT NULL, "
    "directory_revision BIGINT NOT NULL, customers_removed BIGINT NOT NULL, "
    "confirmed_revision BIGINT NOT NULL)",
};
const Statements kVersion4Sqlite = {
    "INSERT INTO history VALUES (lower(hex(randomblob(16))), 0, 1, 0, 0)",
    "CREATE TRIGGER customers_insert_counts AFTER INSERT ON customers "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1; END",
    "CREATE TRIGGER customers_update_counts AFTER UPDATE ON customers "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1; END",
    "CREATE TRIGGER customers_delete_counts AFTER DELETE ON customers "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1, "
    "customers_removed = customers_removed + 1; END",
    "CREATE TRIGGER tokens_insert_counts AFTER INSERT ON tokens "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1; END",
    "CREATE TRIGGER tokens_update_counts AFTER UPDATE ON tokens "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1; END",
    "CREATE TRIGGER tokens_delete_counts AFTER DELETE ON tokens "
    "BEGIN UPDATE history SET directory_revision = directory_revision + 1; END",
};
const Statements kVersion4Postgresql = {
    "INSERT INTO history VALUES "
    "(md5(CAST(random() AS text) || CAST(clock_timestamp() AS text)), 0, 1, 0, 0)",
    "CREATE FUNCTION count_directory_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN UPDATE history SET directory_revision = directory_revision + 1; "
    "IF TG_TABLE_NAME = 'customers' AND TG_OP = 'DELETE' THEN "
    "UPDATE history SET customers_removed = customers_removed + 1; END IF; "
    "RETURN NULL; END $$",
    "CREATE TRIGGER customers_count AFTER INSERT OR UPDATE OR DELETE ON customers "
    "FOR EACH ROW EXECUTE FUNCTION count_directory_change()",
    "CREATE TRIGGER tokens_count AFTER INSERT OR UPDATE OR DELETE ON tokens "
    "FOR EACH ROW EXECUTE FUNCTION count_directory_change()",
};
// How telling a channel went.
const Statements kVersion5 = {
    "ALTER TABLE channels ADD COLUMN delivered_ms BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE channels ADD COLUMN failed_ms BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE channels ADD COLUMN failure TEXT NOT NULL DEFAULT ''",
};
const Statements kNone = {};

struct Step {
  const Statements& both;
  const Statements& sqlite;
  const Statements& postgresql;
};

const std::array<Step, 5> kSteps = {Step{kVersion1, kVersion1Sqlite, kVersion1Postgresql},
                                    Step{kVersion2, kNone, kNone}, Step{kVersion3, kNone, kNone},
                                    Step{kVersion4, kVersion4Sqlite, kVersion4Postgresql},
                                    Step{kVersion5, kNone, kNone}};
const Step kNoStep{kNone, kNone, kNone};

// A version that has its statements above has run in older databases: a column that a field adds
// with it would never come to be there.
constexpr bool comes_later(int since) {
  return since == 0 || since > static_cast<int>(std::tuple_size_v<decltype(kSteps)>);
}
static_assert(std::ranges::all_of(fields::kCustomerFields, comes_later,
                                  &fields::CustomerField::since));
static_assert(std::ranges::all_of(fields::kCustomerLimits, comes_later,
                                  &fields::CustomerLimit::since));

// The columns of customers that their fields add with that version.
Result<void> add_columns(DatabaseConnection& connection, int version) {
  for (const auto& column :
       fields::added_columns(version, fields::kCustomerFields, fields::kCustomerLimits)) {
    auto done = connection.execute("ALTER TABLE customers ADD COLUMN " + column, {});
    if (!done) return forward(done);
  }
  return {};
}

Result<void> run_all(DatabaseConnection& connection, const Statements& statements) {
  for (const auto statement : statements) {
    auto done = connection.execute(statement, {});
    if (!done) return forward(done);
  }
  return {};
}

Result<int> current_version(DatabaseConnection& connection) {
  auto made =
      connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", {});
  if (!made) return forward(made);
  auto rows = connection.query("SELECT version FROM schema_version", {});
  if (!rows) return forward(rows);
  if (rows->empty()) {
    auto inserted = connection.execute("INSERT INTO schema_version (version) VALUES (0)", {});
    if (!inserted) return forward(inserted);
    return 0;
  }
  return static_cast<int>(rows->front().integer(0));
}

}  // namespace

int newest_schema_version() {
  static const int kNewest =
      std::max(static_cast<int>(kSteps.size()),
               fields::newest_version(fields::kCustomerFields, fields::kCustomerLimits));
  return kNewest;
}

Result<void> migrate(DatabaseConnection& connection, Dialect dialect) {
  auto version = current_version(connection);
  if (!version) return forward(version);
  if (*version > newest_schema_version()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the database has schema version {}, this program knows up to {}: "
                            "start the version of vigia-monitor that wrote it",
                            *version, newest_schema_version()));
  }
  for (int step = *version; step < newest_schema_version(); ++step) {
    // A version that only adds fields of customers has no statements here.
    const auto at = static_cast<std::size_t>(step);
    const Step& statements = at < kSteps.size() ? kSteps[at] : kNoStep;
    auto both = run_all(connection, statements.both);
    if (!both) return forward(both);
    auto own = run_all(connection,
                       dialect == Dialect::kSqlite ? statements.sqlite : statements.postgresql);
    if (!own) return forward(own);
    auto added = add_columns(connection, step + 1);
    if (!added) return forward(added);
  }
  auto noted = connection.execute("UPDATE schema_version SET version = :version",
                                  {std::int64_t{newest_schema_version()}});
  if (!noted) return forward(noted);
  return {};
}

}  // namespace vigia::monitor::store
