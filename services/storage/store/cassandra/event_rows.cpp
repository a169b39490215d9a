// ItemWriter: which rows lie in one partition, and go in one request.
#include <algorithm>
#include <tuple>

#include "services/storage/store/cassandra/event_writer.hpp"
#include "services/storage/store/cassandra/rows_together.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;

// Of several items. One alone may be larger: a node refuses what is beyond half of a segment of its
// log.
constexpr std::size_t kBytesTogether = 64U << 10U;

}  // namespace

// Of one place the part with the highest number comes first.
void ItemWriter::sort_by_partition(std::vector<Row>& rows) const {
  const auto place = [this](const Row& row) {
    const Item& item = batch_[row.item];
    const bool is_record = signal_ == Signal::kLogs;
    return std::tuple(is_record ? std::string_view() : item.trace_id,
                      is_record ? log_slot_of(item.time_ns) : 0, -row.shard.number);
  };
  std::stable_sort(rows.begin(), rows.end(), [&place](const Row& left, const Row& right) {
    return place(left) < place(right);
  });
}

bool ItemWriter::is_beside(const Row& left, const Row& right) const {
  const Item& one = batch_[left.item];
  const Item& other = batch_[right.item];
  if (left.shard != right.shard) return false;
  if (signal_ == Signal::kTraces) return one.trace_id == other.trace_id;
  return log_slot_of(one.time_ns) == log_slot_of(other.time_ns);
}

ItemWriter::SomeRows ItemWriter::first_together(SomeRows rows) const {
  std::size_t bytes = batch_[rows.front().item].bytes.size();
  std::size_t count = 1;
  for (; count < std::min(rows.size(), kItemsTogether.front()); ++count) {
    bytes += batch_[rows[count].item].bytes.size();
    if (bytes > kBytesTogether || !is_beside(rows.front(), rows[count])) break;
  }
  return rows.first(kItemsTogether[size_index(kItemsTogether, count)]);
}

const ItemStatements& ItemWriter::table_of(const Row& row) const {
  if (signal_ == Signal::kLogs) return statements_.log_rows;
  return row.shard == kWholeShard ? statements_.spans : statements_.span_parts;
}

void ItemWriter::add_partition(BoundCells& cells, const Row& row) const {
  const Item& item = batch_[row.item];
  cells.add_text(customer_.text());
  if (signal_ == Signal::kLogs) {
    cells.add_int(log_slot_of(item.time_ns)).add_int(row.shard.number);
    return;
  }
  cells.add_blob(item.trace_id);
  if (row.shard != kWholeShard) cells.add_int(row.shard.number);
}

void ItemWriter::add_key(BoundCells& cells, const Row& row) const {
  const Item& item = batch_[row.item];
  cells.add_bigint(static_cast<std::int64_t>(item.time_ns)).add_blob(item.digest);
  if (signal_ == Signal::kLogs) cells.add_int(item.equal);
}

void ItemWriter::add_values(BoundCells& cells, const Row& row) const {
  const Item& item = batch_[row.item];
  if (signal_ == Signal::kLogs) cells.add_bigint(item.arrival).add_int(item.number);
  cells.add_int(day_column(item.day)).add_blob(item.resource).add_blob(item.scope);
  cells.add_blob(item.bytes).add_int(times_.live_seconds);
}

ItemWriter::SomeRows ItemWriter::send_find(SomeRows rows) {
  const SomeRows some = first_together(rows);
  BoundCells cells;
  add_partition(cells, some.front());
  for (const Row& row : some) add_key(cells, row);
  const std::size_t index = size_index(kItemsTogether, some.size());
  requests_.add(*table_of(some.front()).find[index], cells);
  return some;
}

ItemWriter::SomeRows ItemWriter::send_write(SomeRows rows) {
  const SomeRows some = first_together(rows);
  BoundCells cells;
  for (const Row& row : some) {
    add_partition(cells, row);
    add_key(cells, row);
    add_values(cells, row);
  }
  const std::size_t index = size_index(kItemsTogether, some.size());
  requests_.add(*table_of(some.front()).write[index], cells);
  return some;
}

}  // namespace vigia::storage::store::cassandra
