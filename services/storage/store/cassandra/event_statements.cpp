#include "services/storage/store/cassandra/event_statements.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kItemRows = 100;  // mostly some hundred bytes, 1 MiB at most

}  // namespace

Result<void> EventStatements::prepare(Preparation& preparation) {
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
  has_span = preparation.prepare(
      "SELECT day FROM {}.spans WHERE customer_id = ? AND trace_id = ? AND start_ns = ? AND digest "
      "= ?");
  write_span = preparation.prepare(
      "INSERT INTO {}.spans (customer_id, trace_id, start_ns, digest, day, resource, scope, item) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?");
  read_trace = preparation.prepare(
      "SELECT day, resource, scope, item FROM {}.spans WHERE customer_id = ? AND trace_id = ?",
      kItemRows);
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
  return preparation.outcome();
}

}  // namespace vigia::storage::store::cassandra
