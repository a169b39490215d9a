#include "services/storage/store/cassandra/event_statements.hpp"

#include <fmt/format.h>

#include "services/storage/store/cassandra/rows_together.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kItemRows = 100;  // mostly some hundred bytes, 1 MiB at most
constexpr std::uint32_t kFewItemRows = 10;
constexpr std::uint32_t kTimesRows = 50;  // some KiB at most
constexpr std::uint32_t kBlockRows = 50;  // mostly some KiB, 180 KiB at most

RecordReads prepare_reads(Preparation& preparation, std::string_view table, std::uint32_t rows) {
  const std::string select =
      "SELECT time_ns, arrival, item_number, equal, digest, day, resource, scope, item, key_id "
      "FROM "
      "{}." +
      std::string(table);
  const std::string range = select + " AND time_ns >= ? AND time_ns <= ? ORDER BY time_ns ";
  std::string times = select + " AND time_ns IN (?";
  for (std::size_t i = 1; i < kRecordTimesAtOnce; ++i) times += ", ?";
  times += ") ORDER BY time_ns ";
  return {preparation.prepare(range + "ASC", rows), preparation.prepare(range + "DESC", rows),
          preparation.prepare(times + "ASC", rows), preparation.prepare(times + "DESC", rows)};
}

/// Names of columns, with commas between them.
struct ItemTable {
  std::string_view name;
  std::string_view partition;  ///< "customer_id = ? AND …"
  std::string_view key;        ///< of a row in it
  std::string_view key_marks;
  std::string_view found;    ///< what is read of a row
  std::string_view columns;  ///< all, of which `marks` are the values
  std::string_view marks;
};

ItemStatements prepare_items(Preparation& preparation, const ItemTable& table) {
  ItemStatements items;
  const std::string write = fmt::format("INSERT INTO {{0}}.{} ({}) VALUES ({}) USING TTL ?",
                                        table.name, table.columns, table.marks);
  for (std::size_t i = 0; i < kItemsTogether.size(); ++i) {
    std::string keys(table.key_marks);
    for (std::size_t more = 1; more < kItemsTogether[i]; ++more) {
      keys.append(", ").append(table.key_marks);
    }
    items.find[i] =
        preparation.prepare(fmt::format("SELECT {} FROM {{0}}.{} WHERE {} AND ({}) IN ({})",
                                        table.found, table.name, table.partition, table.key, keys));
    items.write[i] = preparation.prepare_row(rows_together(write, kItemsTogether[i]));
  }
  return items;
}

}  // namespace

Result<void> EventStatements::prepare(Preparation& preparation) {
  prepare_slots(preparation);
  prepare_spans(preparation);
  prepare_span_index(preparation);
  prepare_records(preparation);
  prepare_log_index(preparation);
  return preparation.outcome();
}

void EventStatements::prepare_slots(Preparation& preparation) {
  write_slot = preparation.prepare_row(
      "INSERT INTO {}.event_slots (customer_id, signal, slot) VALUES (?, ?, ?)");
  list_slots = preparation.prepare(
      "SELECT slot FROM {}.event_slots WHERE customer_id = ? AND signal = ? AND slot >= ? AND slot "
      "<= ? ORDER BY slot ASC");
  list_slots_back = preparation.prepare(
      "SELECT slot FROM {}.event_slots WHERE customer_id = ? AND signal = ? AND slot >= ? AND slot "
      "<= ? ORDER BY slot DESC");
  list_owners = preparation.prepare("SELECT DISTINCT customer_id, signal FROM {}.event_slots");
  delete_slots = preparation.prepare(
      "DELETE FROM {}.event_slots WHERE customer_id = ? AND signal = ? AND slot < ?");
  write_origin = preparation.prepare_row(
      "INSERT INTO {}.event_origins (customer_id, day, digest, bytes) VALUES (?, ?, ?, ?) USING "
      "TTL ?");
  read_origin = preparation.prepare(
      "SELECT bytes, key_id FROM {}.event_origins WHERE customer_id = ? AND day = ? AND digest = "
      "?");
}

void EventStatements::prepare_spans(Preparation& preparation) {
  spans = prepare_items(
      preparation,
      {"spans", "customer_id = ? AND trace_id = ?", "start_ns, digest", "(?, ?)",
       "start_ns, digest", "customer_id, trace_id, start_ns, digest, day, resource, scope, item",
       "?, ?, ?, ?, ?, ?, ?, ?"});
  read_trace = preparation.prepare(
      "SELECT start_ns, digest, day, resource, scope, item, key_id FROM {}.spans WHERE customer_id "
      "= "
      "? AND trace_id = ? AND start_ns >= ? AND start_ns <= ?",
      kItemRows);
  span_parts = prepare_items(
      preparation, {"span_parts", "customer_id = ? AND trace_id = ? AND shard = ?",
                    "start_ns, digest", "(?, ?)", "start_ns, digest",
                    "customer_id, trace_id, shard, start_ns, digest, day, resource, scope, item",
                    "?, ?, ?, ?, ?, ?, ?, ?, ?"});
  read_trace_part = preparation.prepare(
      "SELECT start_ns, digest, day, resource, scope, item, key_id FROM {}.span_parts WHERE "
      "customer_id = ? AND trace_id = ? AND shard = ? AND start_ns >= ? AND start_ns <= ?",
      kItemRows);
  list_traces = preparation.prepare("SELECT DISTINCT customer_id, trace_id FROM {}.spans");
}

void EventStatements::prepare_span_index(Preparation& preparation) {
  write_span_block = preparation.prepare_row(
      "INSERT INTO {}.span_blocks (customer_id, service, slot, shard, bucket, block, data) VALUES "
      "(?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  read_span_blocks = preparation.prepare(
      "SELECT bucket, data FROM {}.span_blocks WHERE customer_id = ? AND service = ? AND slot = ? "
      "AND shard = ? AND bucket >= ? AND bucket <= ?",
      kBlockRows);
  write_trace_ids = preparation.prepare_row(
      "INSERT INTO {}.trace_ids (customer_id, day, shard, block, ids) VALUES (?, ?, ?, ?, ?) USING "
      "TTL ?");
  read_trace_ids = preparation.prepare(
      "SELECT ids FROM {}.trace_ids WHERE customer_id = ? AND day = ? AND shard = ?");
  write_span_name = preparation.prepare_row(
      "INSERT INTO {}.span_names (customer_id, day, service, shard, name, kind) VALUES (?, ?, ?, "
      "?, ?, ?) USING TTL ?");
  read_span_names = preparation.prepare(
      "SELECT name, kind FROM {}.span_names WHERE customer_id = ? AND day = ? AND service = ? AND "
      "shard = ? AND (name, kind) > (?, ?)");
}

void EventStatements::prepare_records(Preparation& preparation) {
  log_rows = prepare_items(
      preparation,
      {"log_rows", "customer_id = ? AND slot = ? AND shard = ?", "time_ns, digest, equal",
       "(?, ?, ?)", "time_ns, digest, equal, arrival, item_number",
       "customer_id, slot, shard, time_ns, digest, equal, arrival, item_number, day, resource, "
       "scope, item",
       "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"});
  constexpr std::string_view kParts = "log_rows WHERE customer_id = ? AND slot = ? AND shard = ?";
  records = prepare_reads(preparation, kParts, kItemRows);
  records_of_many = prepare_reads(preparation, kParts, kFewItemRows);
  undivided_records =
      prepare_reads(preparation, "log_records WHERE customer_id = ? AND slot = ?", kItemRows);
}

void EventStatements::prepare_log_index(Preparation& preparation) {
  write_log_times = preparation.prepare_row(
      "INSERT INTO {}.log_times (customer_id, day, stream, shard, slot, block, times) VALUES (?, "
      "?, ?, ?, ?, ?, ?) USING TTL ?");
  const std::string times =
      "SELECT slot, times FROM {}.log_times WHERE customer_id = ? AND day = ? AND stream = ? AND "
      "shard = ? AND slot >= ? AND slot <= ? ORDER BY slot ";
  read_log_times = preparation.prepare(times + "ASC", kTimesRows);
  read_log_times_back = preparation.prepare(times + "DESC", kTimesRows);
  write_log_stream = preparation.prepare_row(
      "INSERT INTO {}.log_streams (customer_id, day, shard, stream, service_name, node_id, "
      "environment) VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  read_log_streams = preparation.prepare(
      "SELECT stream, service_name, node_id, environment FROM {}.log_streams WHERE customer_id = ? "
      "AND day = ? AND shard = ?");
}

}  // namespace vigia::storage::store::cassandra
