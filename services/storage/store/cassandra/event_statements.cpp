#include "services/storage/store/cassandra/event_statements.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kItemRows = 100;  // mostly some hundred bytes, 1 MiB at most
constexpr std::uint32_t kBlockRows = 50;  // mostly some KiB, 180 KiB at most

}  // namespace

Result<void> EventStatements::prepare(Preparation& preparation) {
  prepare_slots(preparation);
  prepare_spans(preparation);
  prepare_span_index(preparation);
  prepare_records(preparation);
  return preparation.outcome();
}

void EventStatements::prepare_slots(Preparation& preparation) {
  write_slot = preparation.prepare(
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
  write_origin = preparation.prepare(
      "INSERT INTO {}.event_origins (customer_id, day, digest, bytes) VALUES (?, ?, ?, ?) USING "
      "TTL ?");
  read_origin = preparation.prepare(
      "SELECT bytes FROM {}.event_origins WHERE customer_id = ? AND day = ? AND digest = ?");
}

void EventStatements::prepare_spans(Preparation& preparation) {
  has_span = preparation.prepare(
      "SELECT day FROM {}.spans WHERE customer_id = ? AND trace_id = ? AND start_ns = ? AND digest "
      "= ?");
  write_span = preparation.prepare(
      "INSERT INTO {}.spans (customer_id, trace_id, start_ns, digest, day, resource, scope, item) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  read_trace = preparation.prepare(
      "SELECT start_ns, day, resource, scope, item FROM {}.spans WHERE customer_id = ? AND "
      "trace_id = ? AND start_ns >= ? AND start_ns <= ?",
      kItemRows);
  list_traces = preparation.prepare("SELECT DISTINCT customer_id, trace_id FROM {}.spans");
}

void EventStatements::prepare_span_index(Preparation& preparation) {
  write_span_block = preparation.prepare(
      "INSERT INTO {}.span_blocks (customer_id, service, slot, shard, bucket, block, data) VALUES "
      "(?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  read_span_blocks = preparation.prepare(
      "SELECT bucket, data FROM {}.span_blocks WHERE customer_id = ? AND service = ? AND slot = ? "
      "AND shard = ? AND bucket >= ? AND bucket <= ?",
      kBlockRows);
  write_trace_ids = preparation.prepare(
      "INSERT INTO {}.trace_ids (customer_id, day, shard, block, ids) VALUES (?, ?, ?, ?, ?) USING "
      "TTL ?");
  read_trace_ids = preparation.prepare(
      "SELECT ids FROM {}.trace_ids WHERE customer_id = ? AND day = ? AND shard = ?");
  write_span_name = preparation.prepare(
      "INSERT INTO {}.span_names (customer_id, day, service, shard, name, kind) VALUES (?, ?, ?, "
      "?, ?, ?) USING TTL ?");
  read_span_names = preparation.prepare(
      "SELECT name, kind FROM {}.span_names WHERE customer_id = ? AND day = ? AND service = ? AND "
      "shard = ? AND (name, kind) > (?, ?)");
}

void EventStatements::prepare_records(Preparation& preparation) {
  has_record = preparation.prepare(
      "SELECT arrival, item_number FROM {}.log_records WHERE customer_id = ? AND slot = ? AND "
      "time_ns = ? AND "
      "digest = ? AND equal = ?");
  write_record = preparation.prepare(
      "INSERT INTO {}.log_records (customer_id, slot, time_ns, digest, equal, arrival, "
      "item_number, day, resource, scope, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL "
      "?");
  constexpr std::string_view kRecords =
      "SELECT time_ns, arrival, item_number, digest, day, resource, scope, item FROM "
      "{}.log_records WHERE customer_id = ? AND slot = ? AND time_ns >= ? AND time_ns <= ? ORDER "
      "BY "
      "time_ns ";
  read_records = preparation.prepare(std::string(kRecords) + "ASC", kItemRows);
  read_records_back = preparation.prepare(std::string(kRecords) + "DESC", kItemRows);
}

}  // namespace vigia::storage::store::cassandra
