// vigia-cassandra-exercise HOST:PORT VERB …: a session driven on a real cluster, for the
// integration tests (tests/integration/test_cassandra.py), which start, kill and restart the node
// meanwhile.
//
//   create                       the keyspace and table of the other verbs, one copy of each row
//   write FIRST COUNT BYTES      rows, as many at once as the session lets; each again until it is
//                                acknowledged; their ids as they are, one a line
//   read PAGE_ROWS               all rows, page by page: their number, of which `damaged`
//   cells                        one row with null, empty and extreme values, written and read back
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/cassandra/session.hpp"

namespace vigia::cassandra {
namespace {

constexpr Duration kDeadline = std::chrono::seconds(10);
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr std::string_view kOwner = "cliente-a";
constexpr std::string_view kSchema[] = {
    "CREATE KEYSPACE IF NOT EXISTS exercise WITH replication = {'class': "
    "'NetworkTopologyStrategy', 'datacenter1': 1}",
    "CREATE TABLE IF NOT EXISTS exercise.rows (customer_id text, id int, big bigint, small tinyint,"
    " note text, data blob, PRIMARY KEY (customer_id, id))",
};

[[noreturn]] void end(const Error& error) {
  fmt::print(stderr, "{}: {}\n", to_string(error.code), error.message);
  std::exit(1);
}

template <typename T>
T value_or_end(Result<T> result) {
  if (!result) end(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::uint32_t number(const char* text) {
  const std::string_view digits(text);
  std::uint32_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ptr != digits.data() + digits.size()) end({ErrorCode::kInvalid, "not a number"});
  return value;
}

/// What the row of an id holds: its size and each byte follow from the id.
std::string data_of(std::uint32_t id, std::size_t bytes) {
  std::string data(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<char>(id * 31 + i * 7);
  return data;
}

std::unique_ptr<PreparedStatement> insert(Session& session) {
  StatementSpec spec{"INSERT INTO exercise.rows (customer_id, id, big, data) VALUES (?, ?, ?, ?)"};
  spec.is_idempotent = true;
  return value_or_end(session.prepare(spec));
}

/// Ids that are to be written; those that failed come back.
class Work {
 public:
  Work(std::uint32_t first, std::uint32_t count) : left_(count) {
    for (std::uint32_t i = count; i-- > 0;) ids_.push_back(first + i);
  }
  /// False once all are acknowledged; nothing while the rest is under way.
  bool take(std::optional<std::uint32_t>& id) {
    const std::lock_guard lock(mutex_);
    id.reset();
    if (!ids_.empty()) {
      id = ids_.back();
      ids_.pop_back();
    }
    return left_ > 0;
  }
  void acknowledged(std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    --left_;
    fmt::print("{}\n", id);
    std::fflush(stdout);
  }
  void failed(std::uint32_t id, const Error& error) {
    if (!is_retryable(error)) end(error);
    const std::lock_guard lock(mutex_);
    ids_.push_back(id);
    has_failed_ = true;
  }
  /// Whether any has since it was asked last.
  bool has_failed() {
    const std::lock_guard lock(mutex_);
    return std::exchange(has_failed_, false);
  }

 private:
  std::mutex mutex_;
  std::vector<std::uint32_t> ids_;
  std::size_t left_;
  bool has_failed_ = false;
};

void write(Session& session, std::uint32_t first, std::uint32_t count, std::size_t bytes) {
  const auto statement = insert(session);
  Work work(first, count);
  std::optional<std::uint32_t> id;
  while (work.take(id)) {
    // Without a node requests fail at once.
    if (work.has_failed() || !id) std::this_thread::sleep_for(kPause);
    if (!id) continue;
    const std::string data = data_of(*id, bytes);
    BoundCells cells;
    cells.add_text(kOwner)
        .add_int(static_cast<std::int32_t>(*id))
        .add_bigint(static_cast<std::int64_t>(bytes))
        .add_blob(data);
    session.send({*statement, cells, "", kDeadline}, [&work, id = *id](const Result<Page>& page) {
      page ? work.acknowledged(id) : work.failed(id, page.error());
    });
  }
}

void read(Session& session, std::uint32_t page_rows) {
  StatementSpec spec{"SELECT id, big, data FROM exercise.rows WHERE customer_id = ?"};
  spec.is_idempotent = true;
  spec.page_rows = page_rows;
  spec.speculative_after = std::chrono::milliseconds(500);
  const auto statement = value_or_end(session.prepare(spec));
  BoundCells cells;
  cells.add_text(kOwner);
  std::size_t rows = 0;
  std::size_t damaged = 0;
  value_or_end(session.for_each_row({*statement, cells, "", kDeadline * 6}, [&](RowReader& row) {
    const auto id = static_cast<std::uint32_t>(row.read_int());
    const auto bytes = static_cast<std::size_t>(row.read_bigint());
    const std::string_view data = row.read_blob();
    if (!row.ok() || data != data_of(id, bytes)) ++damaged;
    return ++rows > 0;
  }));
  fmt::print("{} rows, {} damaged\n", rows, damaged);
}

void show_cells(Session& session) {
  const auto insert_all = value_or_end(session.prepare(
      {"INSERT INTO exercise.rows (customer_id, id, big, small, note, data) VALUES (?, ?, ?, ?, ?, "
       "?)"}));
  BoundCells written;
  written.add_text("ñandú")
      .add_int(std::numeric_limits<std::int32_t>::min())
      .add_bigint(std::numeric_limits<std::int64_t>::min())
      .add_tinyint(-1)
      .add_text("")
      .add_null();
  value_or_end(session.fetch({*insert_all, written, kOwner, kDeadline}));
  const auto select = value_or_end(session.prepare(
      {"SELECT id, big, small, note, data FROM exercise.rows WHERE customer_id = ?"}));
  BoundCells who;
  who.add_text("ñandú");
  const Page page = value_or_end(session.fetch({*select, who, kOwner, kDeadline}));
  RowReader row = page.row(0);
  const auto id = row.read_int();
  const auto big = row.read_bigint();
  const auto small = static_cast<int>(row.read_tinyint());
  const auto note = row.read_text();
  const bool is_null = row.take_null();
  fmt::print("{} {} {} '{}' {} {}\n", id, big, small, note, is_null ? "null" : "value",
             row.ok() ? "ok" : "damaged");
}

int run(const std::vector<const char*>& words) {
  if (words.size() < 3) {
    fmt::print(stderr, "vigia-cassandra-exercise HOST:PORT create | write … | read … | cells\n");
    return 2;
  }
  ConnectionSettings settings;
  settings.contact_points = {words[1]};
  settings.datacenter = "datacenter1";
  Session session(value_or_end(connect(settings)), {});
  const std::string_view verb = words[2];
  if (verb == "create") {
    for (const std::string_view cql : kSchema) value_or_end(session.run(cql));
  } else if (verb == "write" && words.size() == 6) {
    write(session, number(words[3]), number(words[4]), number(words[5]));
  } else if (verb == "read" && words.size() == 4) {
    read(session, number(words[3]));
  } else if (verb == "cells") {
    show_cells(session);
  } else {
    end({ErrorCode::kInvalid, "no such verb, or not its words"});
  }
  return 0;
}

}  // namespace
}  // namespace vigia::cassandra

int main(int argc, char** argv) {
  return vigia::cassandra::run(std::vector<const char*>(argv, argv + argc));
}
