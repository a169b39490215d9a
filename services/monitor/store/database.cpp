#include "services/monitor/store/database.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libs/net/routes.hpp"
#include "services/monitor/store/schema.hpp"

namespace vigia::monitor {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite://";
constexpr std::string_view kPostgresqlPrefix = "postgresql://";
constexpr mode_t kPrivateFile = 0600;

Error database_error(const std::exception& exception) {
  const std::string_view text = exception.what();
  const bool is_passing = text.find("locked") != std::string_view::npos ||
                          text.find("busy") != std::string_view::npos ||
                          text.find("full") != std::string_view::npos ||
                          text.find("connection") != std::string_view::npos ||
                          text.find("server closed") != std::string_view::npos;
  return Error{is_passing ? ErrorCode::kUnavailable : ErrorCode::kInternal,
               fmt::format("database: {}", text), std::nullopt};
}

// One bound parameter. SOCI keeps references until the statement is done, so it stands still in a
// deque.
struct Bound {
  long long integer = 0;
  std::string text;
  soci::indicator indicator = soci::i_ok;
};

void bind(soci::statement& statement, const Value& value, Bound& bound) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bound.integer = *integer;
    statement.exchange(soci::use(bound.integer, bound.indicator));
    return;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    bound.text = *text;
  } else {
    bound.indicator = soci::i_null;
  }
  statement.exchange(soci::use(bound.text, bound.indicator));
}

Value read_column(const soci::row& row, std::size_t column) {
  if (row.get_indicator(column) == soci::i_null) return std::monostate{};
  switch (row.get_properties(column).get_data_type()) {
    case soci::dt_integer:
      return std::int64_t{row.get<int>(column)};
    case soci::dt_long_long:
      return std::int64_t{row.get<long long>(column)};
    case soci::dt_unsigned_long_long:
      return static_cast<std::int64_t>(row.get<unsigned long long>(column));
    case soci::dt_double:
      return static_cast<std::int64_t>(row.get<double>(column));
    default:
      return row.get<std::string>(column);
  }
}

class SociConnection final : public Connection {
 public:
  SociConnection(std::unique_ptr<soci::session> session, Dialect dialect)
      : session_(std::move(session)), dialect_(dialect) {}

  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Value>& values) override {
    try {
      recover();
      soci::statement statement(*session_);
      soci::row row;
      std::deque<Bound> bound(values.size());
      statement.exchange(soci::into(row));
      for (std::size_t i = 0; i < values.size(); ++i) bind(statement, values[i], bound[i]);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      std::vector<Row> rows;
      bool has_row = statement.execute(true);
      while (has_row) {
        std::vector<Value> columns;
        for (std::size_t i = 0; i < row.size(); ++i) columns.push_back(read_column(row, i));
        rows.emplace_back(std::move(columns));
        has_row = statement.fetch();
      }
      return rows;
    } catch (const std::exception& exception) {
      return failed(exception);
    }
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    try {
      recover();
      soci::statement statement(*session_);
      std::deque<Bound> bound(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) bind(statement, values[i], bound[i]);
      statement.alloc();
      statement.prepare(std::string(sql));
      statement.define_and_bind();
      statement.execute(true);
      return std::int64_t{statement.get_affected_rows()};
    } catch (const std::exception& exception) {
      return failed(exception);
    }
  }

 private:
  // A server that was restarted has closed the connection; the call after the failed one opens it
  // anew.
  void recover() {
    if (!is_broken_) return;
    session_->reconnect();
    is_broken_ = false;
  }

  tl::unexpected<Error> failed(const std::exception& exception) {
    auto error = database_error(exception);
    is_broken_ = dialect_ == Dialect::kPostgresql && error.code == ErrorCode::kUnavailable;
    return tl::unexpected<Error>(std::move(error));
  }

  std::unique_ptr<soci::session> session_;
  const Dialect dialect_;
  bool is_broken_ = false;
};

// Keeps a second copy of the program away from the same file; released when the process ends.
class FileLock {
 public:
  static Result<FileLock> take(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile);
    if (descriptor < 0) {
      return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be opened for writing", path));
    }
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}: another vigia-monitor uses this database", path));
    }
    return lock;
  }
  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

class SociDatabase final : public Database {
 public:
  SociDatabase(Dialect dialect, std::optional<FileLock> lock)
      : dialect_(dialect), lock_(std::move(lock)) {}

  void add(std::unique_ptr<Connection> connection) {
    idle_.reserve(++connections_);  // giving one back never needs memory
    idle_.push_back(std::move(connection));
  }
  Dialect dialect() const { return dialect_; }

 protected:
  Result<void> lend(bool is_write,
                    const std::function<Result<void>(Connection&)>& function) override {
    const Lease lease(*this);
    if (!is_write) return function(lease.connection());
    const std::scoped_lock lock(write_mutex_);
    return in_transaction(lease.connection(), function);
  }

 private:
  // Goes back whatever the function does: one that throws must not cost the pool a connection.
  class Lease {
   public:
    explicit Lease(SociDatabase& pool) : pool_(pool), connection_(pool.borrow()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(connection_)); }
    Connection& connection() const { return *connection_; }

   private:
    SociDatabase& pool_;
    std::unique_ptr<Connection> connection_;
  };

  // Rolled back unless it was committed.
  class Transaction {
   public:
    explicit Transaction(Connection& connection) : connection_(connection) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
      // A failed roll-back leaves nothing that could be done better: the next BEGIN reports it.
      if (!is_committed_) static_cast<void>(connection_.execute("ROLLBACK", {}));
    }
    Result<void> commit() {
      auto committed = connection_.execute("COMMIT", {});
      if (!committed) return forward(committed);
      is_committed_ = true;
      return {};
    }

   private:
    Connection& connection_;
    bool is_committed_ = false;
  };

  Result<void> in_transaction(Connection& connection,
                              const std::function<Result<void>(Connection&)>& function) {
    // SQLite: taking the write lock at once avoids the deadlock of two readers that both want to
    // write.
    auto begun = connection.execute(dialect_ == Dialect::kSqlite ? "BEGIN IMMEDIATE" : "BEGIN", {});
    if (!begun) return forward(begun);
    Transaction transaction(connection);
    auto outcome = function(connection);
    if (!outcome) return outcome;
    return transaction.commit();
  }

  std::unique_ptr<Connection> borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty(); });
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::scoped_lock lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
  }

  const Dialect dialect_;
  std::optional<FileLock> lock_;
  std::mutex write_mutex_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t connections_ = 0;
};

// One value of a libpq connection text: quoted, with quotes and backslashes escaped.
std::string connection_value(std::string_view key, std::string_view value) {
  std::string out = fmt::format("{}='", key);
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "' ";
}

// postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME as key='value' pairs: SOCI reads those only. User
// and password may hold percent escapes.
Result<std::string> connection_text(std::string_view url) {
  const auto bad = [] {
    return fail(ErrorCode::kInvalid,
                "database: write it as postgresql://USER[:PASSWORD]@HOST[:PORT]/NAME");
  };
  url.remove_prefix(kPostgresqlPrefix.size());
  const auto slash = url.rfind('/');
  if (slash == std::string_view::npos) return bad();
  const auto at = url.substr(0, slash).rfind('@');
  if (at == std::string_view::npos) return bad();
  const auto login = url.substr(0, at);
  const auto host = url.substr(at + 1, slash - at - 1);
  const auto name = url.substr(slash + 1);
  const auto login_colon = login.find(':');
  const auto user = net::percent_decode(login.substr(0, login_colon), false);
  const auto host_colon = host.rfind(':');
  if (!user || user->empty() || host.empty() || name.empty()) return bad();
  auto text = connection_value("user", *user) + connection_value("dbname", name) +
              connection_value("host", host.substr(0, host_colon));
  if (host_colon != std::string_view::npos) {
    text += connection_value("port", host.substr(host_colon + 1));
  }
  if (login_colon != std::string_view::npos) {
    const auto password = net::percent_decode(login.substr(login_colon + 1), false);
    if (!password) return bad();
    text += connection_value("password", *password);
  }
  return text;
}

std::unique_ptr<soci::session> open_session(Dialect dialect, const std::string& target) {
  if (dialect == Dialect::kPostgresql) {
    return std::make_unique<soci::session>("postgresql", target);  // loads its backend by name
  }
  auto session = std::make_unique<soci::session>(
      soci::sqlite3, fmt::format(R"(dbname="{}" timeout=10 synchronous=full)", target));
  *session << "PRAGMA journal_mode=WAL";
  *session << "PRAGMA foreign_keys=ON";
  return session;
}

Result<std::unique_ptr<Database>> open_all(std::unique_ptr<SociDatabase> database,
                                           const std::string& target, std::size_t connections) {
  try {
    for (std::size_t i = 0; i < connections; ++i) {
      database->add(std::make_unique<SociConnection>(open_session(database->dialect(), target),
                                                     database->dialect()));
    }
  } catch (const std::exception& exception) {
    return fail(ErrorCode::kUnavailable, fmt::format("database: {}", exception.what()));
  }
  const Dialect dialect = database->dialect();
  auto migrated =
      database->write([dialect](Connection& connection) { return migrate(connection, dialect); });
  if (!migrated) return forward(migrated);
  return database;
}

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, std::size_t connections) {
  if (path.empty() || path.find('"') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "database: sqlite:// needs a path without quotes");
  }
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  auto lock = FileLock::take(path + ".lock");
  if (!lock) return forward(lock);
  // Made here, before SQLite would make it readable for everybody.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile);
  if (descriptor < 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be opened for writing", path));
  }
  ::close(descriptor);
  return open_all(std::make_unique<SociDatabase>(Dialect::kSqlite, std::move(*lock)), path,
                  connections);
}

}  // namespace

std::string Row::text(std::size_t column) const {
  const auto* value = std::get_if<std::string>(&values_.at(column));
  return value != nullptr ? *value : std::string();
}

std::int64_t Row::integer(std::size_t column) const {
  const auto* value = std::get_if<std::int64_t>(&values_.at(column));
  return value != nullptr ? *value : 0;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& url, std::size_t connections) {
  if (url.starts_with(kSqlitePrefix)) {
    return open_sqlite(url.substr(kSqlitePrefix.size()), connections);
  }
  if (url.starts_with(kPostgresqlPrefix)) {
    auto text = connection_text(url);
    if (!text) return forward(text);
    return open_all(std::make_unique<SociDatabase>(Dialect::kPostgresql, std::nullopt), *text,
                    connections);
  }
  return fail(ErrorCode::kInvalid,
              "database: give sqlite:///path/to/file or postgresql://user@host/name");
}

}  // namespace vigia::monitor
