#include "services/storage/store/cassandra/customer_tables.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::PreparedStatement;
using vigia::cassandra::RowReader;
using vigia::cassandra::Session;

constexpr std::string_view kCustomer = "customer_id";
constexpr std::uint32_t kPageRows = 2000;
// A node looks through keys of everybody's for a page, and a cluster that packs its files is slow.
constexpr Duration kPageDeadline = std::chrono::minutes(1);
constexpr int kTries = 5;
constexpr auto kPause = std::chrono::seconds(1);

// Their write times are days, or stamps, and not the time of the writing (schema.cql, steps 1, 10
// and 13): a partition that is deleted as of now would hide what is written under them for years.
struct Timed {
  std::string_view table;
  std::string_view column;
  std::string_view first_day;
};
constexpr std::array<Timed, 7> kTimed{{{"metrics", "last_day", ""},
                                       {"series_ids", "shard", ""},
                                       {"series", "last_day", "first_day"},
                                       {"label_names", "last_day", "first_day"},
                                       {"label_values", "last_day", "first_day"},
                                       {"due_days", "stamp", ""},
                                       {"kept_days", "day", ""}}};

/// The primary key of a table, as system_schema has it.
struct KeyColumns {
  std::vector<std::string> all;
  std::map<std::int32_t, std::string> partition;
  std::map<std::int32_t, std::string> clustering;
};

CustomerTable table_of(const std::string& name, const KeyColumns& columns) {
  CustomerTable table;
  table.name = name;
  table.columns = columns.all;
  for (const auto& [position, column] : columns.partition) table.key.push_back(column);
  const auto* const timed = std::find_if(kTimed.begin(), kTimed.end(),
                                         [&](const Timed& one) { return one.table == name; });
  const bool is_timed = timed != kTimed.end();
  table.is_by_row =
      is_timed || std::find(table.key.begin(), table.key.end(), kCustomer) == table.key.end();
  if (is_timed) {
    table.timed_by = timed->column;
    table.first_day = timed->first_day;
  }
  if (table.is_by_row) {
    for (const auto& [position, column] : columns.clustering) table.key.push_back(column);
  }
  const auto at = std::find(table.key.begin(), table.key.end(), kCustomer);
  table.customer = static_cast<std::size_t>(at - table.key.begin());
  return table;
}

std::optional<CustomerKey> read_key(const CustomerTable& table, RowReader row) {
  CustomerKey key;
  for (std::size_t i = 0; i < table.key.size(); ++i) key.columns.push_back(row.read_blob());
  if (!table.timed_by.empty() && !row.take_null()) key.time = row.read_bigint();
  if (!table.first_day.empty() && !row.take_null()) key.first_time = row.read_bigint();
  if (!row.ok()) return std::nullopt;
  return key;
}

}  // namespace

Result<std::vector<CustomerTable>> customer_tables(Session& session, const std::string& keyspace) {
  auto statement = session.prepare(
      {"SELECT table_name, column_name, kind, position FROM system_schema.columns WHERE "
       "keyspace_name = ?"});
  if (!statement) return forward(statement);
  BoundCells cells;
  cells.add_text(keyspace);
  std::map<std::string, KeyColumns> all;
  bool is_whole = true;
  auto read = session.for_each_row({**statement, cells, "", kPageDeadline}, [&](RowReader& row) {
    const std::string table(row.read_text());
    const std::string column(row.read_text());
    const std::string_view kind = row.read_text();
    const std::int32_t position = row.read_int();
    is_whole = is_whole && row.ok();
    all[table].all.push_back(column);
    if (kind == "partition_key") all[table].partition[position] = column;
    if (kind == "clustering") all[table].clustering[position] = column;
    return true;
  });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  if (!is_whole) return malformed_row("system_schema.columns");
  std::vector<CustomerTable> tables;
  for (const auto& [name, columns] : all) {
    CustomerTable table = table_of(name, columns);
    if (table.customer < table.key.size()) tables.push_back(std::move(table));
  }
  if (!tables.empty()) return tables;
  return fail(ErrorCode::kNotFound,
              fmt::format("the cluster has no keyspace {} with tables of customers", keyspace));
}

std::string KeyWalk::select() const {
  std::string columns = fmt::format("{}", fmt::join(table_.key, ", "));
  for (const std::string& column : {table_.timed_by, table_.first_day}) {
    if (!column.empty()) columns += fmt::format(", WRITETIME({})", column);
  }
  return fmt::format("SELECT {}{} FROM {}.{}", table_.is_by_row ? "" : "DISTINCT ", columns,
                     keyspace_, table_.name);
}

Result<Page> patient_page(Session& session, const PreparedStatement& statement,
                          const std::string& state, const std::string& what) {
  const BoundCells none;
  for (int tries = 1;; ++tries) {
    auto page = session.fetch({statement, none, "", kPageDeadline, state});
    if (page) return page;
    const Error error = store_error(std::move(page.error()));
    if (error.code != ErrorCode::kUnavailable || tries == kTries) {
      return tl::unexpected<Error>(with_context(what, error));
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<std::uint64_t> KeyWalk::run(const std::optional<CustomerId>& customer, const Visit& visit) {
  vigia::cassandra::StatementSpec spec{select(), consistency_};
  spec.page_rows = kPageRows;
  spec.is_idempotent = true;
  auto statement = session_.prepare(spec);
  if (!statement) return tl::unexpected<Error>(with_context(spec.cql, statement.error()));
  std::uint64_t seen = 0;
  std::string state;
  do {
    auto page = patient_page(session_, **statement, state, table_.name);
    if (!page) return forward(page);
    for (std::size_t i = 0; i < page->rows(); ++i) {
      const auto key = read_key(table_, page->row(i));
      if (!key) return malformed_row(table_.name);
      ++seen;
      if (customer && key->columns[table_.customer] != customer->text()) continue;
      if (auto visited = visit(*key); !visited) return forward(visited);
    }
    state = page->paging_state();
  } while (!state.empty());
  return seen;
}

}  // namespace vigia::storage::store::cassandra
