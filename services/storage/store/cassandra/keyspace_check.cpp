#include "services/storage/store/cassandra/keyspace_check.hpp"

#include <memory>

#include <fmt/format.h>

#include "libs/model/resolution.hpp"
#include "libs/rollup/window_record.hpp"
#include "services/storage/store/cassandra/chunk_block.hpp"
#include "services/storage/store/cassandra/customer_tables.hpp"
#include "services/storage/store/cassandra/keyspace_rows.hpp"
#include "services/storage/store/cassandra/span_block.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::RowReader;
using vigia::cassandra::Session;

constexpr std::uint32_t kBlockRows = 32;  // of up to 64 KiB each

tl::unexpected<Error> differs() {
  return fail(ErrorCode::kCorrupt, "what is in it is not what its row's columns say");
}

/// How a table's rows are looked at.
struct BlockTable {
  std::string_view name;     ///< its beginning
  std::string_view what;     ///< it holds
  std::string_view columns;  ///< behind customer_id and the place's name
  std::string_view place;    ///< a column that says where in the customer's data it lies
  /// How many rows, or spans, are in it. `row`: from `columns` on.
  Result<std::uint64_t> (*check)(RowReader row);
};

Result<std::uint64_t> check_chunks(RowReader row) {
  const std::int8_t resolution = row.read_tinyint();
  const auto first_series = static_cast<std::uint64_t>(row.read_bigint());
  const auto last_series = static_cast<std::uint64_t>(row.read_bigint());
  const TimestampMs first_ms = row.read_bigint();
  const TimestampMs last_ms = row.read_bigint();
  const std::string_view data = row.read_blob();
  if (!row.ok()) return fail(ErrorCode::kCorrupt, "a column of it is missing");
  const auto chunks = read_block(data);
  if (!chunks) return forward(chunks);
  if (chunks->empty() || chunks->front().series.value != first_series ||
      chunks->back().series.value != last_series) {
    return differs();
  }
  for (const BlockedChunk& chunk : *chunks) {
    if (chunk.first_ms < first_ms || chunk.last_ms > last_ms) return differs();
    if (resolution != static_cast<std::int8_t>(Resolution::kRaw)) continue;
    const auto raw = raw_row_of({}, chunk);
    if (!raw) {
      return fail(ErrorCode::kCorrupt, fmt::format("series {}, from {} ms: {}", chunk.series.value,
                                                   chunk.first_ms, raw.error().message));
    }
  }
  return chunks->size();
}

Result<std::uint64_t> check_rollup(RowReader row) {
  const std::int8_t resolution = row.read_tinyint();
  const auto series = static_cast<std::uint64_t>(row.read_bigint());
  const TimestampMs first_ms = row.read_bigint();
  const std::int32_t encoding = row.read_int();
  const std::string_view data = row.read_blob();
  const bool is_known = resolution > 0 && resolution < static_cast<std::int8_t>(kResolutions);
  if (!row.ok() || !is_known) return fail(ErrorCode::kCorrupt, "a column of it is missing");
  const auto chunks = read_block(data);
  if (!chunks) return forward(chunks);
  if (chunks->size() != 1 || chunks->front().series.value != series ||
      chunks->front().first_ms != first_ms ||
      static_cast<std::int32_t>(chunks->front().encoding) != encoding) {
    return differs();
  }
  if (chunks->front().encoding != Encoding::kWindows) return 1U;
  const auto windows = rollup::read_windows(chunks->front().data,
                                            rollup::width_ms(static_cast<Resolution>(resolution)));
  if (!windows) return forward(windows);
  return 1U;
}

Result<std::uint64_t> check_spans(RowReader row) {
  const std::int64_t bucket = row.read_bigint();
  const std::string_view data = row.read_blob();
  if (!row.ok()) return fail(ErrorCode::kCorrupt, "a column of it is missing");
  BlockSpanReader reader(bucket, data);
  BlockSpan span;
  std::uint64_t spans = 0;
  while (reader.next(span)) ++spans;
  if (const auto outcome = reader.outcome(); !outcome) return forward(outcome);
  return spans;
}

constexpr BlockTable kTables[] = {
    {"chunks_", "chunks", "resolution, first_series, last_series, first_ms, last_ms, data",
     "metric", check_chunks},
    {"rollups_", "roll-ups", "resolution, series_id, first_ms, encoding, data", "metric",
     check_rollup},
    {"span_blocks", "spans in the index", "bucket, data", "service", check_spans},
};

class KeyspaceCheck {
 public:
  KeyspaceCheck(Session& session, const std::string& keyspace)
      : session_(session), keyspace_(keyspace) {
    report_.is_of_tables = true;
  }

  Result<void> run(const std::string& table, const BlockTable& kind) {
    vigia::cassandra::StatementSpec spec{fmt::format("SELECT customer_id, {}, {} FROM {}.{}",
                                                     kind.place, kind.columns, keyspace_, table)};
    spec.page_rows = kBlockRows;
    spec.is_idempotent = true;
    const auto statement = session_.prepare(spec);
    if (!statement) return tl::unexpected<Error>(with_context(spec.cql, statement.error()));
    ++report_.files;
    std::uint64_t damaged = 0;
    std::string state;
    do {
      const auto page = patient_page(session_, **statement, state, table);
      if (!page) return forward(page);
      for (std::size_t i = 0; i < page->rows(); ++i) look_at(table, kind, page->row(i), damaged);
      state = page->paging_state();
    } while (!state.empty());
    if (damaged > kFaultsMax) {
      report_.faults.push_back({table, "block", fmt::format("{} more", damaged - kFaultsMax),
                                "as those that are named", 0});
    }
    return {};
  }
  CheckReport take() { return std::move(report_); }

 private:
  void look_at(const std::string& table, const BlockTable& kind, RowReader row,
               std::uint64_t& damaged) {
    const std::string customer(row.read_text());
    const std::string place(row.read_blob());
    report_.bytes += bytes_of(row);
    const auto rows = kind.check(row);
    if (rows) {
      report_.rows[fmt::format("{} of customer {}", kind.what, customer)] += *rows;
      return;
    }
    if (++damaged > kFaultsMax) return;
    report_.faults.push_back(
        {table, "block", rows.error().message,
         fmt::format("{} of customer {}, {} {}", kind.what, customer, kind.place, place), 0});
  }
  static std::uint64_t bytes_of(RowReader row) {
    std::uint64_t bytes = 0;
    while (true) {
      const std::string_view column = row.read_blob();
      if (!row.ok()) return bytes;
      bytes += column.size();
    }
  }

  Session& session_;
  const std::string& keyspace_;
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check_keyspace(
    const CassandraSettings& settings,
    const std::function<void(const std::string& table, std::size_t left)>& progress) {
  auto driver = vigia::cassandra::connect(settings.connection);
  if (!driver) return forward(driver);
  Session session(*std::move(driver), vigia::cassandra::SessionLimits{});
  return check_keyspace_in(session, settings.schema.keyspace, progress);
}

Result<CheckReport> check_keyspace_in(
    Session& session, const std::string& keyspace,
    const std::function<void(const std::string& table, std::size_t left)>& progress) {
  const auto tables = customer_tables(session, keyspace);
  if (!tables) return forward(tables);
  KeyspaceCheck check(session, keyspace);
  std::size_t left = tables->size();
  for (const CustomerTable& table : *tables) {
    --left;
    for (const BlockTable& kind : kTables) {
      if (!table.name.starts_with(kind.name)) continue;
      progress(table.name, left);
      if (auto checked = check.run(table.name, kind); !checked) return forward(checked);
    }
  }
  return check.take();
}

}  // namespace vigia::storage::store::cassandra
