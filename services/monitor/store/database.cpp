#include "services/monitor/store/database.hpp"

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/clock.hpp"
#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/monitor/store/anchor.hpp"
#include "services/monitor/store/driver_failures.hpp"
#include "services/monitor/store/file_lock.hpp"
#include "services/monitor/store/history.hpp"
#include "services/monitor/store/schema.hpp"
#include "services/monitor/store/soci_connection.hpp"
#include "services/monitor/store/sqlite_file.hpp"
#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::store {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite://";
constexpr mode_t kPrivateFile = 0600;
constexpr std::string_view kWhatToDo =
    "; customers and tokens stay as they were last served, nothing can be changed. Put a copy back "
    "with \"vigia-monitor restore --config FILE\", or, where the database is right as it is, "
    "confirm it with \"vigia-monitor accept --config FILE\"; both while vigia-monitor is stopped";
/// How often a checkpoint that a reader held up is tried again, and whether a copy is due.
constexpr Duration kKeeperInterval = std::chrono::seconds(1);

class SociDatabase final : public Database {
 public:
  SociDatabase(Dialect dialect, std::string path, DatabaseOptions options)
      : dialect_(dialect), path_(std::move(path)), options_(std::move(options)) {}
  ~SociDatabase() override {
    {
      const std::scoped_lock lock(keeper_mutex_);
      is_ending_ = true;
    }
    wake_keeper_.notify_all();
    if (keeper_.joinable()) keeper_.join();
    // What the keeper left is put into the file now; a reader that is still there has the last
    // word.
    if (is_checkpoint_due_ && !idle_.empty()) checkpoint(*idle_.back());
  }

  void add(std::unique_ptr<DatabaseConnection> connection) {
    idle_.reserve(++connections_);  // giving one back never needs memory
    idle_.push_back(std::move(connection));
  }
  Dialect dialect() const { return dialect_; }
  const std::string& path() const { return path_; }
  const DatabaseOptions& options() const { return options_; }
  void hold(FileLock lock) { lock_ = std::move(lock); }

  std::string doubt() const override {
    const std::scoped_lock lock(doubt_mutex_);
    return doubt_;
  }
  void raise_doubt(const std::string& why) override {
    {
      const std::scoped_lock lock(doubt_mutex_);
      if (!doubt_.empty()) return;
      doubt_ = "the database is in doubt: " + why + std::string(kWhatToDo);
    }
    service::log_error("the database is in doubt",
                       {{"error", why}, {"what_to_do", std::string(kWhatToDo.substr(2))}});
  }
  void raise_damage(const std::string& why) {
    is_damaged_ = true;
    raise_doubt(why);
  }
  std::string state_directory() const override { return options_.state_directory; }
  std::uint64_t backup_failures() const override { return backup_failures_.load(); }
  std::uint64_t anchor_failures() const override { return anchor_failures_.load(); }
  std::uint64_t driver_failures() const override { return driver_failures_.count(); }
  std::size_t unreadable_rows() const override { return unreadable_.count(); }
  UnreadableRows& unreadable() { return unreadable_; }

  /// Looks whether this is the database that was last written, as far as it was written; brings its
  /// schema up to date.
  Result<void> begin();
  void keep_by_itself() {
    if (dialect_ != Dialect::kSqlite || !doubt().empty()) return;
    keeper_ = std::thread([this] { run_keeper(); });
  }
  Result<void> back_up() {
    auto made = back_up_sqlite(path_, options_.state_directory + "/backups", options_.backups_kept);
    if (!made) return forward(made);
    service::log_info("the database was copied", {{"copy", *made}});
    return {};
  }

 protected:
  Result<void> lend(bool is_write,
                    const std::function<Result<void>(DatabaseConnection&)>& function) override {
    if (auto usable = check_usable(is_write); !usable) return usable;
    const Lease lease(*this);
    if (!is_write) return looked_at(function(lease.connection()));
    const std::scoped_lock lock(write_mutex_);
    return looked_at(in_transaction(lease.connection(), function));
  }

 private:
  Result<void> check_usable(bool is_write) const {
    if (!is_write && !is_damaged_) return {};
    std::string why = doubt();
    if (why.empty()) return {};
    return fail(ErrorCode::kUnavailable, std::move(why));
  }

  // Damage that shows itself while it runs is damage as well.
  Result<void> looked_at(Result<void> outcome) {
    if (outcome) return outcome;
    const std::string& text = outcome.error().message;
    const bool is_damage = dialect_ == Dialect::kSqlite &&
                           outcome.error().code == ErrorCode::kInternal &&
                           (text.find("malformed") != std::string::npos ||
                            text.find("not a database") != std::string::npos);
    if (is_damage) raise_damage(text);
    return tl::unexpected<Error>(driver_failures_.take(outcome.error()));
  }

  // After a commit: the anchor learns of it, and the pages go from the journal into the file. What
  // lies in the journal alone is lost from the first damaged frame on, whoever's it is.
  void keep(const DatabaseMark& mark, DatabaseConnection& connection) {
    if (anchor_) {
      auto noted = anchor_->note(mark);
      if (!noted && anchor_failures_++ == 0) {
        service::log_error(
            "the database's anchor is not written: that it lost its end could not be seen",
            {{"error", noted.error().message}});
      }
    }
    if (dialect_ == Dialect::kSqlite) checkpoint(connection);
  }

  // Waits for readers a moment only; the keeper tries again.
  void checkpoint(DatabaseConnection& connection) {
    static_cast<void>(connection.query("PRAGMA busy_timeout=50", {}));
    const auto done = connection.query("PRAGMA wal_checkpoint(TRUNCATE)", {});
    static_cast<void>(connection.query("PRAGMA busy_timeout=10000", {}));
    is_checkpoint_due_ = !done || done->empty() || done->front().integer(0) != 0;
  }

  void run_keeper() {
    auto copied_at = clock_.steady() - age_of_newest_copy();
    std::unique_lock lock(keeper_mutex_);
    while (!wake_keeper_.wait_for(lock, kKeeperInterval, [this] { return is_ending_; })) {
      lock.unlock();
      contain_faults("keeping the database", [&] {
        if (is_checkpoint_due_) catch_up();
        const auto now = clock_.steady();
        if (now - copied_at >= options_.backup_interval && doubt().empty()) {
          copied_at = now;
          copy_or_warn();
        }
      });
      lock.lock();
    }
  }
  void catch_up() {
    const Lease lease(*this);
    const std::scoped_lock lock(write_mutex_);
    checkpoint(lease.connection());
  }
  void copy_or_warn() {
    auto made = back_up();
    if (made) return;
    ++backup_failures_;
    service::log_error("the database was not copied", {{"error", made.error().message}});
    if (made.error().code == ErrorCode::kCorrupt) raise_damage(made.error().message);
  }
  Duration age_of_newest_copy() const {
    const auto copies = list_backups(options_.state_directory + "/backups");
    if (copies.empty()) return options_.backup_interval;
    std::error_code error;
    const auto written = std::filesystem::last_write_time(copies.back(), error);
    if (error) return options_.backup_interval;
    const auto age = std::filesystem::file_time_type::clock::now() - written;
    return std::clamp<Duration>(std::chrono::duration_cast<Duration>(age), Duration::zero(),
                                options_.backup_interval);
  }
  Result<void> bring_up_to_date(DatabaseConnection& connection);
  Result<void> compare_with_anchor(DatabaseConnection& connection);
  Result<void> confirm(DatabaseConnection& connection);

  // Goes back whatever the function does: one that throws must not cost the pool a connection.
  class Lease {
   public:
    explicit Lease(SociDatabase& pool) : pool_(pool), connection_(pool.borrow()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(std::move(connection_)); }
    DatabaseConnection& connection() const { return *connection_; }

   private:
    SociDatabase& pool_;
    std::unique_ptr<DatabaseConnection> connection_;
  };

  // Rolled back unless it was committed.
  class Transaction {
   public:
    explicit Transaction(DatabaseConnection& connection) : connection_(connection) {}
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
    DatabaseConnection& connection_;
    bool is_committed_ = false;
  };

  Result<void> in_transaction(DatabaseConnection& connection,
                              const std::function<Result<void>(DatabaseConnection&)>& function) {
    // SQLite: taking the write lock at once avoids the deadlock of two readers that both want to
    // write.
    auto begun = connection.execute(dialect_ == Dialect::kSqlite ? "BEGIN IMMEDIATE" : "BEGIN", {});
    if (!begun) return forward(begun);
    Transaction transaction(connection);
    auto mark = count_write(connection);
    if (!mark) return forward(mark);
    auto outcome = function(connection);
    if (!outcome) return outcome;
    auto committed = transaction.commit();
    if (committed) keep(*mark, connection);
    return committed;
  }

  std::unique_ptr<DatabaseConnection> borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty(); });
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }

  void give_back(std::unique_ptr<DatabaseConnection> connection) {
    {
      const std::scoped_lock lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
  }

  const Dialect dialect_;
  const std::string path_;  ///< of SQLite
  const DatabaseOptions options_;
  const SystemClock clock_;
  std::optional<FileLock> lock_;
  std::optional<Anchor> anchor_;  ///< guarded by write_mutex_
  std::atomic<bool> is_checkpoint_due_{false};
  std::atomic<bool> is_damaged_{false};
  std::atomic<std::uint64_t> anchor_failures_{0};
  std::atomic<std::uint64_t> backup_failures_{0};
  DriverFailures driver_failures_{clock_};
  UnreadableRows unreadable_;
  mutable std::mutex doubt_mutex_;
  std::string doubt_;  ///< guarded by doubt_mutex_
  std::mutex keeper_mutex_;
  std::condition_variable wake_keeper_;
  bool is_ending_ = false;  ///< guarded by keeper_mutex_
  std::thread keeper_;
  std::mutex write_mutex_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<DatabaseConnection>> idle_;
  std::size_t connections_ = 0;
};

int schema_version_of(DatabaseConnection& connection) {
  auto rows = connection.query("SELECT version FROM schema_version", {});
  return rows && !rows->empty() ? static_cast<int>(rows->front().integer(0)) : 0;
}

Result<void> SociDatabase::bring_up_to_date(DatabaseConnection& connection) {
  const int version = schema_version_of(connection);
  if (version == newest_schema_version()) return {};
  const bool has_copy = dialect_ == Dialect::kSqlite && version > 0;
  if (has_copy) {
    auto copied = back_up();
    if (!copied) return copied;
  }
  auto begun = connection.execute(dialect_ == Dialect::kSqlite ? "BEGIN IMMEDIATE" : "BEGIN", {});
  if (!begun) return forward(begun);
  Transaction transaction(connection);
  auto migrated = migrate(connection, dialect_);
  if (!migrated) return migrated;
  return transaction.commit();
}

Result<void> SociDatabase::compare_with_anchor(DatabaseConnection& connection) {
  auto anchor = Anchor::open(options_.state_directory + "/anchor");
  if (!anchor) return forward(anchor);
  anchor_ = std::move(*anchor);
  auto history = read_history(connection);
  if (!history && history.error().code == ErrorCode::kCorrupt) {
    raise_doubt(history.error().message);
    return {};
  }
  if (!history) return forward(history);
  if (anchor_->damaged_places() > 0) {
    service::log_error(
        "the database's anchor is damaged, look at the disk",
        {{"damaged_of_two", std::to_string(anchor_->damaged_places())},
         {"instead", anchor_->mark() ? "the other place" : "the kept snapshot's revision alone"}});
  }
  if (options_.confirmed_above) return confirm(connection);
  if (const auto& known = anchor_->mark()) {
    if (known->database != history->database) {
      raise_doubt(fmt::format("it is not the one that was last used (its id is {}, not {})",
                              history->database, known->database));
    } else if (known->revision > history->revision) {
      raise_doubt(
          fmt::format("it is older than what was written: the last {} of {} writes are "
                      "missing",
                      known->revision - history->revision, known->revision));
    }
  }
  if (!doubt().empty()) return {};
  return anchor_->note(DatabaseMark{history->database, history->revision});
}

Result<void> SociDatabase::confirm(DatabaseConnection& connection) {
  const std::int64_t revision = anchor_->mark() ? anchor_->mark()->revision : 0;
  auto begun = connection.execute(dialect_ == Dialect::kSqlite ? "BEGIN IMMEDIATE" : "BEGIN", {});
  if (!begun) return forward(begun);
  Transaction transaction(connection);
  auto history = confirm_history(revision, *options_.confirmed_above, connection);
  if (!history) return forward(history);
  auto committed = transaction.commit();
  if (!committed) return committed;
  if (dialect_ == Dialect::kSqlite) checkpoint(connection);
  return anchor_->note(DatabaseMark{history->database, history->revision});
}

Result<void> SociDatabase::begin() {
  const Lease lease(*this);
  auto ready = bring_up_to_date(lease.connection());
  if (!ready) return ready;
  if (dialect_ == Dialect::kSqlite) checkpoint(lease.connection());
  if (options_.state_directory.empty()) return {};
  return compare_with_anchor(lease.connection());
}

Result<void> add_connections(SociDatabase& database, const std::string& target,
                             std::size_t connections) {
  for (std::size_t i = 0; i < connections; ++i) {
    auto connection = open_connection(database.dialect(), target, database.unreadable());
    if (!connection) return forward(connection);
    database.add(std::move(*connection));
  }
  return {};
}

Result<void> make_private_file(const std::string& path) {
  // Made here, before SQLite would make it readable for everybody.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivateFile);
  if (descriptor < 0) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be opened for writing", path));
  }
  ::close(descriptor);
  return {};
}

// What a kill left in the journal: looking at it puts it into the file, as far as it is sound. The
// files as they were found stay until it is known that nothing is missing.
class FoundFiles {
 public:
  FoundFiles(const std::string& path, const std::string& state) : folder_(state + "/found") {
    std::error_code error;
    if (std::filesystem::file_size(path + "-wal", error) == 0 || error) return;
    std::filesystem::create_directories(folder_, error);
    for (const std::string& name : {path, path + "-wal"}) {
      std::filesystem::copy_file(name, folder_ / std::filesystem::path(name).filename(),
                                 std::filesystem::copy_options::overwrite_existing, error);
    }
  }
  void drop() const {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

 private:
  std::filesystem::path folder_;
};

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path, std::size_t connections,
                                              DatabaseOptions options) {
  if (path.empty() || path.find('"') != std::string::npos) {
    return fail(ErrorCode::kInvalid, "database: sqlite:// needs a path without quotes");
  }
  if (options.state_directory.empty()) options.state_directory = path + ".state";
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::filesystem::create_directories(options.state_directory, ignored);
  auto lock = FileLock::take(path + ".lock");
  if (!lock) return forward(lock);
  auto made = make_private_file(path);
  if (!made) return forward(made);
  const FoundFiles found(path, options.state_directory);
  auto database = std::make_unique<SociDatabase>(Dialect::kSqlite, path, std::move(options));
  database->hold(std::move(*lock));
  auto sound = check_sqlite_file(path);
  if (!sound && sound.error().code != ErrorCode::kCorrupt) return forward(sound);
  if (!sound) {
    database->raise_damage(sound.error().message);
    return database;
  }
  auto added = add_connections(*database, path, connections);
  if (!added) return forward(added);
  auto begun = database->begin();
  if (!begun) return forward(begun);
  if (database->doubt().empty()) found.drop();
  database->keep_by_itself();
  return database;
}

Result<std::unique_ptr<Database>> open_postgresql(const std::string& url, std::size_t connections,
                                                  DatabaseOptions options) {
  auto text = postgresql_connection_text(url);
  if (!text) return forward(text);
  auto database = std::make_unique<SociDatabase>(Dialect::kPostgresql, "", std::move(options));
  auto added = add_connections(*database, *text, connections);
  if (!added) return forward(added);
  auto begun = database->begin();
  if (!begun) return forward(begun);
  return database;
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

std::int64_t Row::count(std::size_t column) const {
  const auto digits = text(column);
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return count;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& url, std::size_t connections,
                                                 DatabaseOptions options) {
  if (url.starts_with(kSqlitePrefix)) {
    return open_sqlite(url.substr(kSqlitePrefix.size()), connections, std::move(options));
  }
  if (url.starts_with(kPostgresqlPrefix)) {
    return open_postgresql(url, connections, std::move(options));
  }
  return fail(ErrorCode::kInvalid,
              "database: give sqlite:///path/to/file or postgresql://user@host/name");
}

}  // namespace vigia::monitor::store
