#include "services/storage/store/cassandra/schema.hpp"

#include <chrono>
#include <map>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "libs/base/random.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;
using vigia::cassandra::Session;
using vigia::cassandra::StatementSpec;

constexpr std::string_view kComponent = "storage";
constexpr Duration kDeadline = std::chrono::seconds(10);
constexpr auto kLockWait = std::chrono::minutes(2);
constexpr auto kLockStep = std::chrono::milliseconds(200);
// Longer than any step takes: who holds it for longer is taken for dead.
constexpr int kLockSeconds = 300;
constexpr std::uint32_t kPageRows = 1000;
constexpr std::int32_t kEventStep = 3;
constexpr std::int64_t kMadeTogetherMs = 300'000;

/// Prepares and runs what is run once or twice.
Result<Page> ask(Session& session, std::string cql, const BoundCells& cells) {
  StatementSpec spec{std::move(cql)};
  spec.page_rows = kPageRows;
  const auto statement = session.prepare(spec);
  if (!statement) return forward(statement);
  return session.fetch({**statement, cells, "", kDeadline});
}

std::int64_t bits(std::uint64_t number) { return static_cast<std::int64_t>(number); }

/// The right to change the schema, given back at the end.
class SchemaLock {
 public:
  SchemaLock(Session& session, const std::string& keyspace, std::uint64_t holder)
      : session_(session), keyspace_(keyspace), holder_(holder) {}
  SchemaLock(const SchemaLock&) = delete;
  SchemaLock& operator=(const SchemaLock&) = delete;
  ~SchemaLock() {
    if (!is_held_) return;
    BoundCells cells;
    cells.add_text(kComponent).add_bigint(bits(holder_));
    const auto given_back =
        ask(session_,
            fmt::format("DELETE FROM {}.schema_locks WHERE component = ? IF holder = ?", keyspace_),
            cells);
    if (!given_back) return;  // the row ends by itself
  }

  Result<void> take() {
    const auto end = std::chrono::steady_clock::now() + kLockWait;
    while (true) {
      auto taken = try_take();
      if (!taken) return forward(taken);
      if (*taken) return {};
      if (std::chrono::steady_clock::now() >= end) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("another instance changes the schema of keyspace {}", keyspace_));
      }
      std::this_thread::sleep_for(kLockStep);
    }
  }

 private:
  // A light-weight transaction: the first column of its answer says whether it was applied.
  Result<bool> try_take() {
    BoundCells cells;
    cells.add_text(kComponent).add_bigint(bits(holder_));
    auto page = ask(session_,
                    fmt::format("INSERT INTO {}.schema_locks (component, holder) VALUES (?, ?) IF "
                                "NOT EXISTS USING TTL {}",
                                keyspace_, kLockSeconds),
                    cells);
    if (!page) return forward(page);
    if (page->rows() != 1) return malformed_lock();
    RowReader row = page->row(0);
    is_held_ = row.read_tinyint() == 1;
    if (is_held_) return true;
    (void)row.read_text();
    const std::int64_t holder = row.read_bigint();
    if (!row.ok()) return malformed_lock();
    return holder == bits(holder_) ? take_again() : Result<bool>(false);
  }

  // An earlier try was applied though no answer came: the row is ours, for the whole time again.
  Result<bool> take_again() {
    BoundCells cells;
    cells.add_bigint(bits(holder_)).add_text(kComponent).add_bigint(bits(holder_));
    auto page = ask(session_,
                    fmt::format("UPDATE {}.schema_locks USING TTL {} SET holder = ? WHERE "
                                "component = ? IF holder = ?",
                                keyspace_, kLockSeconds),
                    cells);
    if (!page) return forward(page);
    is_held_ = page->rows() == 1 && page->row(0).read_tinyint() == 1;
    return is_held_;
  }

  static tl::unexpected<Error> malformed_lock() {
    return fail(ErrorCode::kCorrupt, "a row of schema_locks cannot be read");
  }

  Session& session_;
  const std::string& keyspace_;
  const std::uint64_t holder_;
  bool is_held_ = false;
};

using DoneSteps = std::map<std::int32_t, std::string>;

/// The steps that were done, with the hash of their text.
Result<DoneSteps> done_steps(Session& session, const std::string& keyspace) {
  BoundCells cells;
  cells.add_text(kComponent);
  auto page = ask(session,
                  fmt::format("SELECT version, text_hash FROM {}.schema_versions WHERE component = "
                              "?",
                              keyspace),
                  cells);
  if (!page) return forward(page);
  DoneSteps done;
  for (std::size_t i = 0; i < page->rows(); ++i) {
    RowReader row = page->row(i);
    const std::int32_t version = row.read_int();
    done[version] = row.read_text();
    if (!row.ok()) return fail(ErrorCode::kCorrupt, "a row of schema_versions cannot be read");
  }
  return done;
}

Result<void> check_known(const DoneSteps& done, const SchemaText& text,
                         const std::string& keyspace) {
  const auto known = static_cast<std::int32_t>(text.steps.size());
  for (const auto& [version, hash] : done) {
    if (version > known) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("keyspace {} is of version {}, this program knows {}: start the "
                              "newer one",
                              keyspace, version, known));
    }
    if (version < 1 || text.steps[static_cast<std::size_t>(version) - 1].text_hash != hash) {
      return fail(ErrorCode::kCorrupt,
                  fmt::format("keyspace {} was made by another step {} than this program's",
                              keyspace, version));
    }
  }
  return {};
}

Result<void> run_step(Session& session, const std::string& keyspace, const SchemaStep& step,
                      const Clock& clock) {
  for (const std::string& statement : step.statements) {
    if (auto ran = session.run(statement); !ran) {
      return tl::unexpected<Error>(
          with_context(fmt::format("step {} of the schema", step.version), ran.error()));
    }
  }
  BoundCells cells;
  cells.add_text(kComponent).add_int(step.version).add_text(step.text_hash);
  cells.add_bigint(clock.wall_ms());
  auto noted = ask(session,
                   fmt::format("INSERT INTO {}.schema_versions (component, version, text_hash, "
                               "applied_ms) VALUES (?, ?, ?, ?)",
                               keyspace),
                   cells);
  if (!noted) return forward(noted);
  return {};
}

/// REQUIRES: the lock is held, where steps are missing.
Result<void> run_missing(Session& session, const std::string& keyspace, const SchemaText& text,
                         const Clock& clock) {
  const auto done = done_steps(session, keyspace);
  if (!done) return forward(done);
  if (auto known = check_known(*done, text, keyspace); !known) return known;
  for (const SchemaStep& step : text.steps) {
    if (done->contains(step.version)) continue;
    if (auto ran = run_step(session, keyspace, step, clock); !ran) return ran;
  }
  return {};
}

Result<void> check_copies(Session& session, const SchemaSettings& settings) {
  BoundCells cells;
  cells.add_text(settings.keyspace);
  auto page = ask(session,
                  fmt::format("SELECT replication['{}'] FROM system_schema.keyspaces WHERE "
                              "keyspace_name = ?",
                              settings.datacenter),
                  cells);
  if (!page) return forward(page);
  RowReader row = page->rows() == 1 ? page->row(0) : RowReader({});
  const std::string_view copies = row.take_null() ? "no" : row.read_text();
  if (copies == std::to_string(settings.replication_factor)) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("keyspace {} has {} copies in datacenter {}, the settings say {}: change "
                          "replication_factor, or the keyspace by ALTER KEYSPACE and nodetool "
                          "repair --full",
                          settings.keyspace, copies.empty() ? "no" : copies, settings.datacenter,
                          settings.replication_factor));
}

}  // namespace

Result<void> migrate(Session& session, const SchemaSettings& settings, std::uint64_t instance,
                     const Clock& clock) {
  if (auto checked = check_schema_settings(settings); !checked) return checked;
  const auto text = read_schema(schema_cql(), settings);
  if (!text) return forward(text);
  // Nearly every start has nothing to do, and changes nothing for that.
  // Of what is not there the cluster says that the question is wrong.
  const auto done = done_steps(session, settings.keyspace);
  if (!done && done.error().code != ErrorCode::kInvalid) return forward(done);
  if (done && done->size() >= text->steps.size()) {
    return check_known(*done, *text, settings.keyspace);
  }
  // Also where some of it is there: a start may have ended between its statements.
  for (const std::string& statement : text->base) {
    if (auto ran = session.run(statement); !ran) return ran;
  }
  SchemaLock lock(session, settings.keyspace, instance);
  if (auto taken = lock.take(); !taken) return taken;
  return run_missing(session, settings.keyspace, *text, clock);
}

Result<void> check_start(Session& session, const SchemaSettings& settings, std::uint64_t instance) {
  if (auto copies = check_copies(session, settings); !copies) return copies;
  const std::int64_t nonce = bits(random_u64());
  BoundCells written;
  written.add_bigint(bits(instance)).add_bigint(nonce);
  const std::string table = settings.keyspace + ".start_checks";
  auto wrote =
      ask(session, fmt::format("INSERT INTO {} (instance, nonce) VALUES (?, ?)", table), written);
  if (!wrote) return forward(wrote);
  BoundCells key;
  key.add_bigint(bits(instance));
  auto read = ask(session, fmt::format("SELECT nonce FROM {} WHERE instance = ?", table), key);
  if (!read) return forward(read);
  if (read->rows() == 1 && read->row(0).read_bigint() == nonce) return {};
  return fail(ErrorCode::kInternal,
              fmt::format("what was just written to {} is not what is read from it", table));
}

Result<std::uint32_t> events_whole_from(Session& session, const std::string& keyspace,
                                        std::int32_t step) {
  BoundCells cells;
  cells.add_text(kComponent);
  auto page = ask(session,
                  fmt::format("SELECT version, applied_ms FROM {}.schema_versions WHERE component "
                              "= ?",
                              keyspace),
                  cells);
  if (!page) return forward(page);
  std::map<std::int32_t, std::int64_t> applied_ms;
  for (std::size_t i = 0; i < page->rows(); ++i) {
    RowReader row = page->row(i);
    const std::int32_t version = row.read_int();
    applied_ms[version] = row.read_bigint();
    if (!row.ok()) return fail(ErrorCode::kCorrupt, "a row of schema_versions cannot be read");
  }
  const std::int64_t events_ms = applied_ms[kEventStep];
  const std::int64_t step_ms = applied_ms[step];
  return step_ms - events_ms < kMadeTogetherMs ? 0 : day_of(step_ms) + 2;
}

}  // namespace vigia::storage::store::cassandra
