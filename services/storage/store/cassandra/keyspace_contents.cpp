#include "services/storage/store/cassandra/keyspace_contents.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "libs/disk_log/file_system.hpp"
#include "services/storage/customers/number_file.hpp"
#include "services/storage/store/cassandra/customer_tables.hpp"
#include "services/storage/store/cassandra/keyspace_rows.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using customers::CustomerNumber;
using instance::FolderSums;
using instance::RawQuery;
using instance::RawRow;
using vigia::cassandra::BoundCells;
using vigia::cassandra::Consistency;
using vigia::cassandra::RowReader;
using vigia::cassandra::Session;

constexpr std::uint64_t kProgressRows = 10'000;
constexpr std::uint32_t kBlockRows = 32;        // of up to 64 KiB each, of items up to a MiB
constexpr std::size_t kLabelsMax = 50'000;      // series whose labels are remembered
constexpr std::uint32_t kMadeFrom = 1U << 31U;  // far above what a folder ever gives
constexpr std::string_view kRawResolution{"\0", 1};

std::optional<CustomerId> id_of(std::string_view text) {
  if (text == CustomerId::provider().text()) return CustomerId::provider();
  auto id = CustomerId::parse(text);
  if (!id) return std::nullopt;
  return *std::move(id);
}

class KeyspaceContents final : public instance::FolderContents {
 public:
  explicit KeyspaceContents(std::string keyspace) : keyspace_(std::move(keyspace)) {}

  Result<void> open(const CassandraSettings& settings) {
    auto lock = disk_log::system_files().lock(settings.directory);
    if (!lock) return forward(lock);
    lock_ = *std::move(lock);
    for (auto& [number, id] :
         customers::NumberFile::look(settings.directory + "/vigia-customers")) {
      numbers_.emplace(id.text(), number);
      customers_.emplace(number, id);
    }
    auto driver = vigia::cassandra::connect(settings.connection);
    if (!driver) return forward(driver);
    session_ = std::make_unique<Session>(*std::move(driver), vigia::cassandra::SessionLimits{});
    auto tables = customer_tables(*session_, keyspace_);
    if (!tables) return forward(tables);
    tables_ = *std::move(tables);
    if (auto prepared = prepare(); !prepared) return prepared;
    return find_customers();
  }

  const std::map<std::uint32_t, CustomerId>& customers() const override { return customers_; }

  Result<FolderSums> sums(const Progress& progress) override {
    FolderSums sums;
    sums.format = format_;
    for (const CustomerTable& table : tables_) {
      TableSums counted(table, sums);
      const auto read = walk(table, counted, progress);
      if (!read) sums.unread.push_back(read.error().message);
    }
    return sums;
  }

  Result<void> raw(const RawQuery& query, const RawVisit& visit, const BadRow& bad_row) override {
    for (const CustomerTable& table : tables_) {
      if (!table.name.starts_with("chunks_")) continue;
      const auto statement = prepared(
          "SELECT first_ms, last_ms, data FROM {}.{} WHERE customer_id = ? AND metric = ? AND "
          "resolution = ? AND period = ? AND shard = ?",
          table.name);
      if (!statement) return forward(statement);
      const auto walked = walk_keys(table, query, [&](const CustomerKey& key) -> Result<void> {
        if (key.columns[2] != kRawResolution) return {};
        return read_blocks({query, visit, bad_row}, **statement, key, table.name);
      });
      if (!walked) return walked;
    }
    return {};
  }

  Result<void> open_copies(const RawQuery& query, const CopyVisit& visit) override {
    for (const CustomerTable& table : tables_) {
      if (table.name != "head_rows") continue;
      const auto statement = prepared(
          "SELECT body FROM {}.{} WHERE customer_id = ? AND instance = ? AND slot = ?", table.name);
      if (!statement) return forward(statement);
      return walk_keys(table, query, [&](const CustomerKey& key) -> Result<void> {
        const CustomerNumber customer{number_of(key.columns.front())};
        return for_each_row(**statement, key, [&](RowReader row) {
          const std::string_view body = row.read_blob();
          return row.ok() ? visit(customer, body) : Result<void>();
        });
      });
    }
    return {};
  }

  Result<std::optional<Labels>> labels_of(CustomerNumber customer, SeriesId series) override {
    const std::pair key(customer.value, series.value);
    const auto known = labels_.find(key);
    if (known != labels_.end()) return known->second;
    const auto id = customers_.find(customer.value);
    if (id == customers_.end()) return std::optional<Labels>();
    auto labels = read_labels(id->second, series);
    if (!labels) return labels;
    if (labels_.size() >= kLabelsMax) labels_.clear();
    return labels_.emplace(key, *std::move(labels)).first->second;
  }

 private:
  struct RawWalk {
    const RawQuery& query;
    const RawVisit& visit;
    const BadRow& bad_row;
  };

  Result<void> prepare() {
    Preparation preparation(*session_, keyspace_);
    series_ = preparation.prepare(
        "SELECT metric, shard FROM {}.series_ids WHERE customer_id = ? AND series_id = ?");
    series_labels_ = preparation.prepare(
        "SELECT labels FROM {}.series WHERE customer_id = ? AND metric = ? AND shard = ? AND "
        "series_id = ?");
    const auto versions =
        preparation.prepare("SELECT version FROM {}.schema_versions WHERE component = 'storage'");
    if (auto outcome = preparation.outcome(); !outcome) return outcome;
    std::int32_t latest = 0;
    auto read = session_->for_each_row({*versions, {}, "", kRequestDeadline}, [&](RowReader& row) {
      latest = std::max(latest, row.read_int());
      return true;
    });
    if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
    format_ = fmt::format("keyspace {}, step {} of the schema", keyspace_, latest);
    return {};
  }

  Result<Statement> prepared(std::string_view cql, const std::string& table) {
    vigia::cassandra::StatementSpec spec{fmt::format(fmt::runtime(cql), keyspace_, table)};
    spec.page_rows = kBlockRows;
    spec.is_idempotent = true;
    auto statement = session_->prepare(spec);
    if (!statement) return tl::unexpected<Error>(with_context(spec.cql, statement.error()));
    return statement;
  }

  // Who has anything that makes him known; whoever has something else alone comes with the sums.
  Result<void> find_customers() {
    for (const CustomerTable& table : tables_) {
      const bool is_wanted =
          table.name == "customers" || table.name == "event_slots" || table.name == "head_slots";
      if (!is_wanted) continue;
      const auto walked = walk_keys(table, {}, [&](const CustomerKey& key) -> Result<void> {
        (void)number_of(key.columns[table.customer]);
        return {};
      });
      if (!walked) return walked;
    }
    return {};
  }

  // Those that the folder does not know have numbers that no log has, whoever it has forgotten.
  std::uint32_t number_of(std::string_view customer) {
    const auto known = numbers_.find(std::string(customer));
    if (known != numbers_.end()) return known->second;
    const auto id = id_of(customer);
    if (!id) return 0;
    const std::uint32_t number = next_made_++;
    customers_.emplace(number, *id);
    numbers_.emplace(id->text(), number);
    return number;
  }

  Result<void> walk_keys(const CustomerTable& table, const RawQuery& query,
                         const KeyWalk::Visit& visit) {
    std::optional<CustomerId> customer;
    if (query.customer) customer = customers_.at(query.customer->value);
    const auto walked =
        KeyWalk(*session_, keyspace_, table, Consistency::kQuorum).run(customer, visit);
    return walked ? Result<void>() : forward(walked);
  }

  Result<void> walk(const CustomerTable& table, TableSums& sums, const Progress& progress) {
    vigia::cassandra::StatementSpec spec{sums.select(keyspace_)};
    spec.page_rows = kBlockRows;
    spec.is_idempotent = true;
    auto statement = session_->prepare(spec);
    if (!statement) return tl::unexpected<Error>(with_context(table.name, statement.error()));
    std::string state;
    std::uint64_t rows = 0;
    do {
      const auto page = patient_page(*session_, **statement, state, table.name);
      if (!page) return forward(page);
      for (std::size_t i = 0; i < page->rows(); ++i, ++rows) {
        if (rows % kProgressRows == 0) progress(table.name, rows);
        sums.add(page->row(i), [this](std::string_view customer) { return number_of(customer); });
      }
      state = page->paging_state();
    } while (!state.empty());
    return {};
  }

  Result<void> for_each_row(const vigia::cassandra::PreparedStatement& statement,
                            const CustomerKey& key,
                            const std::function<Result<void>(RowReader)>& visit) {
    BoundCells cells;
    for (const std::string_view column : key.columns) cells.add_blob(column);
    Rows rows(*session_, statement, std::move(cells), "");
    while (true) {
      const auto row = rows.next();
      if (!row) return forward(row);
      if (!*row) return {};
      if (auto visited = visit(**row); !visited) return visited;
    }
  }

  Result<void> read_blocks(const RawWalk& walk,
                           const vigia::cassandra::PreparedStatement& statement,
                           const CustomerKey& key, const std::string& table) {
    const CustomerNumber customer{number_of(key.columns.front())};
    const std::string place =
        fmt::format("{}: a block of customer {}, metric {}", table, key.columns[0], key.columns[1]);
    return for_each_row(statement, key, [&](RowReader row) -> Result<void> {
      const TimestampMs first_ms = row.read_bigint();
      const TimestampMs last_ms = row.read_bigint();
      const std::string_view data = row.read_blob();
      if (row.ok() && (last_ms < walk.query.from_ms || first_ms > walk.query.to_ms)) return {};
      const auto chunks = read_block(data);
      if (!row.ok() || !chunks) {
        walk.bad_row(fmt::format("{}, from {} ms: {}", place, first_ms,
                                 chunks ? "a column of it is missing" : chunks.error().message));
        return {};
      }
      for (const BlockedChunk& chunk : *chunks) {
        const auto raw = raw_row_of(customer, chunk);
        if (!raw) {
          walk.bad_row(fmt::format("{}, series {}, from {} ms: {}", place, chunk.series.value,
                                   chunk.first_ms, raw.error().message));
          continue;
        }
        if (auto visited = walk.visit(*raw); !visited) return visited;
      }
      return {};
    });
  }

  Result<std::optional<Labels>> read_labels(const CustomerId& customer, SeriesId series) {
    BoundCells by_id;
    by_id.add_text(customer.text()).add_bigint(static_cast<std::int64_t>(series.value));
    const auto found = ask(*session_, *series_, by_id, "");
    if (!found) return forward(found);
    if (found->rows() == 0) return std::optional<Labels>();
    RowReader place = found->row(0);
    BoundCells key;
    key.add_text(customer.text());
    key.add_blob(place.read_blob()).add_blob(place.read_blob());
    key.add_bigint(static_cast<std::int64_t>(series.value));
    const auto row = ask(*session_, *series_labels_, key, "");
    if (!row) return forward(row);
    if (row->rows() == 0) return std::optional<Labels>();
    RowReader reader = row->row(0);
    if (reader.take_null()) return std::optional<Labels>();  // what is left of one that has expired
    const auto views = decode_labels(reader.read_blob());
    if (!views) return forward(views);
    return std::optional<Labels>(to_labels(*views));
  }

  const std::string keyspace_;
  std::unique_ptr<disk_log::DirectoryLock> lock_;
  std::unique_ptr<Session> session_;
  Statement series_;
  Statement series_labels_;
  std::string format_;
  std::vector<CustomerTable> tables_;
  std::map<std::uint32_t, CustomerId> customers_;
  std::map<std::string, std::uint32_t> numbers_;
  std::uint32_t next_made_ = kMadeFrom;
  // By customer and series.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::optional<Labels>> labels_;
};

}  // namespace

Result<std::unique_ptr<instance::FolderContents>> open_contents(const CassandraSettings& settings) {
  auto contents = std::make_unique<KeyspaceContents>(settings.schema.keyspace);
  if (auto opened = contents->open(settings); !opened) return forward(opened);
  return contents;
}

}  // namespace vigia::storage::store::cassandra
