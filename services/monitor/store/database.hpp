// The control plane's database: SQLite by default, PostgreSQL where the backend is installed. SOCI
// is hidden behind this header; the SQL that goes through it is what both understand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"

namespace vigia::monitor::store {

/// A parameter or a column: null, a 64-bit integer or a text.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

/// Null where there is nothing: COALESCE(:a, column) then keeps what is stored.
inline Value value_or_null(const std::optional<std::string>& value) {
  return value ? Value(*value) : Value();
}
inline Value value_or_null(const std::optional<std::int64_t>& value) {
  return value ? Value(*value) : Value();
}
inline Value value_or_null(const std::optional<bool>& value) {
  return value ? Value(std::int64_t{*value}) : Value();
}

/// One row of an answer, columns in the order of the SELECT.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  /// "" for null.
  std::string text(std::size_t column) const;
  /// 0 for null.
  std::int64_t integer(std::size_t column) const;
  /// Of CAST(COUNT(*) AS TEXT): an expression has no type of its own in SQLite, and without the
  /// cast would be read as text or as a number. 0 for anything else.
  std::int64_t count(std::size_t column) const;
  bool boolean(std::size_t column) const { return integer(column) != 0; }
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<Value> values_;
};

/// One connection, lent for the time of one call of `read` or `write`.
class DatabaseConnection {
 public:
  virtual ~DatabaseConnection() = default;
  /// Parameters stand in the SQL as :a, :b, … and are bound in that order, never pasted (A10).
  /// kUnavailable where the database is busy or full, kInternal for anything else.
  virtual Result<std::vector<Row>> query(std::string_view sql,
                                         const std::vector<Value>& values) = 0;
  /// Rows changed.
  virtual Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) = 0;
  /// A row cannot be read and is left out (read_each of unreadable_rows.hpp).
  virtual void note_unreadable(std::string_view table, std::string_view row, const Error& why) = 0;
};

struct DatabaseOptions {
  /// Anchor, kept snapshot and copies. "": beside an SQLite file, NAME.state; for PostgreSQL there
  /// is no anchor then.
  std::string state_directory;
  Duration backup_interval = std::chrono::hours(1);  ///< of SQLite; before a migration as well
  std::size_t backups_kept = 48;
  /// A person confirms that this is the right database, whatever the anchor says: its revisions go
  /// on above this one, which was served, and above the anchor's.
  std::optional<std::int64_t> confirmed_above;
};

/// Thread contract: any thread but an event loop; calls block. Writes of this process go one after
/// the other, each a transaction that is kept only when the function succeeds. A write that
/// returned is in the database's own file, and the anchor knows of it.
///
/// A database that is damaged, or older than what was written, is in doubt: it takes no writes
/// (kUnavailable), and where it is damaged no reads, until a person has put a copy back or has
/// confirmed it (maintenance.hpp).
class Database {
 public:
  /// `url`: sqlite:///absolute/path or postgresql://user@host/name. Makes what is missing and
  /// brings an older schema up to date. kUnavailable where another process holds the file, kInvalid
  /// for another scheme or a schema newer than this program.
  static Result<std::unique_ptr<Database>> open(const std::string& url, std::size_t connections,
                                                DatabaseOptions options = {});
  virtual ~Database() = default;
  /// What is wrong and what to do; "" where nothing is. Any thread, does not block.
  virtual std::string doubt() const { return ""; }
  /// Somebody else found that its content cannot be right. The first reason stays.
  virtual void raise_doubt(const std::string& /*why*/) {}
  /// DatabaseOptions::state_directory, or what stands for it; "" where there is none.
  virtual std::string state_directory() const { return ""; }
  /// Copies and marks in the anchor that could not be written since the start.
  virtual std::uint64_t backup_failures() const { return 0; }
  virtual std::uint64_t anchor_failures() const { return 0; }
  /// Reads and writes that the driver failed since the start: no room, no server, a damaged page.
  virtual std::uint64_t driver_failures() const { return 0; }
  /// Rows that were left out because they cannot be read, each once since the start.
  virtual std::size_t unreadable_rows() const { return 0; }

  template <typename Function>
  auto read(Function&& function) -> std::invoke_result_t<Function, DatabaseConnection&> {
    return run(std::forward<Function>(function), false);
  }
  template <typename Function>
  auto write(Function&& function) -> std::invoke_result_t<Function, DatabaseConnection&> {
    return run(std::forward<Function>(function), true);
  }

 protected:
  /// Lends a connection; with `is_write` inside a transaction.
  virtual Result<void> lend(bool is_write,
                            const std::function<Result<void>(DatabaseConnection&)>& function) = 0;

 private:
  template <typename Function>
  auto run(Function&& function, bool is_write)
      -> std::invoke_result_t<Function, DatabaseConnection&> {
    using Outcome = std::invoke_result_t<Function, DatabaseConnection&>;
    Outcome outcome = fail(ErrorCode::kInternal, "the database function did not run");
    const auto lent = lend(is_write, [&](DatabaseConnection& connection) -> Result<void> {
      outcome = function(connection);
      if (!outcome) return forward(std::as_const(outcome));  // it is the answer itself
      return {};
    });
    if (!lent) return forward(lent);
    return outcome;
  }
};

}  // namespace vigia::monitor::store
