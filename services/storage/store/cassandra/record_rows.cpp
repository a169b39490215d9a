#include "services/storage/store/cassandra/record_rows.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "services/storage/store/cassandra/key_id.hpp"

namespace vigia::storage::store::cassandra {

namespace {

constexpr std::size_t kFewParts = 8;

}  // namespace

using vigia::cassandra::BoundCells;

Result<void> RecordRows::open(const RecordSlot& slot, TimestampNs from_ns, TimestampNs to_ns) {
  const std::array<TimestampNs, 2> ends{from_ns, to_ns};
  return open(slot, Ask::kRange, ends);
}

Result<void> RecordRows::open(const RecordSlot& slot, std::span<const TimestampNs> times) {
  return open(slot, Ask::kTimes, times);
}

Result<void> RecordRows::open(const RecordSlot& slot, Ask ask, std::span<const TimestampNs> times) {
  parts_.clear();
  if (slot.has_undivided) {
    if (auto opened = open_part(slot, nullptr, ask, times); !opened) return opened;
  }
  for (const Shard& shard : slot.shards) {
    if (auto opened = open_part(slot, &shard, ask, times); !opened) return opened;
  }
  return {};
}

// Each part has a page in memory.
const Statement& RecordRows::statement_for(const RecordSlot& slot, const Shard* shard,
                                           Ask ask) const {
  const RecordReads& in_parts = slot.shards.size() > kFewParts ? tables_.statements.records_of_many
                                                               : tables_.statements.records;
  const RecordReads& reads = shard == nullptr ? tables_.statements.undivided_records : in_parts;
  if (ask == Ask::kRange) return is_backward_ ? reads.range_back : reads.range;
  return is_backward_ ? reads.times_back : reads.times;
}

Result<void> RecordRows::open_part(const RecordSlot& slot, const Shard* shard, Ask ask,
                                   std::span<const TimestampNs> times) {
  BoundCells cells;
  cells.add_text(tables_.customer.text()).add_int(slot.slot);
  if (shard != nullptr) cells.add_int(shard->number);
  for (const TimestampNs time_ns : times) cells.add_bigint(static_cast<std::int64_t>(time_ns));
  // A time that is asked for twice comes once.
  for (std::size_t i = times.size(); ask == Ask::kTimes && i < kTimesMax; ++i) {
    cells.add_bigint(static_cast<std::int64_t>(times.back()));
  }
  Part part;
  part.rows = std::make_unique<Rows>(tables_.session, *statement_for(slot, shard, ask),
                                     std::move(cells), tables_.customer.text(), tables_.limit);
  if (auto begun = advance(part); !begun) return begun;
  parts_.push_back(std::move(part));
  return {};
}

Result<void> RecordRows::advance(Part& part) {
  part.record.reset();
  while (true) {
    auto row = part.rows->next();
    if (!row) return forward(row);
    if (!*row) return {};
    StoredRecord record;
    record.time_ns = static_cast<TimestampNs>((*row)->read_bigint());
    record.arrival = (*row)->read_bigint();
    record.number = (*row)->read_int();
    record.equal = (*row)->read_int();
    record.digest = (*row)->read_blob();
    record.day = static_cast<std::uint32_t>((*row)->read_int());
    record.resource = (*row)->read_blob();
    record.scope = (*row)->read_blob();
    record.item = (*row)->read_blob();
    if (take_no_key(**row) && (*row)->ok()) {
      part.record = std::move(record);
      return {};
    }
    ++damaged_;
  }
}

bool RecordRows::is_before(const Part& part, const Part& other) const {
  if (!part.record || !other.record) return part.record.has_value();
  return is_backward_ ? part.record->time_ns > other.record->time_ns
                      : part.record->time_ns < other.record->time_ns;
}

Result<std::optional<StoredRecord>> RecordRows::next() {
  const auto first = std::min_element(
      parts_.begin(), parts_.end(),
      [this](const Part& part, const Part& other) { return is_before(part, other); });
  if (first == parts_.end() || !first->record) return std::optional<StoredRecord>();
  std::optional<StoredRecord> record = std::move(first->record);
  if (auto next = advance(*first); !next) return forward(next);
  return record;
}

}  // namespace vigia::storage::store::cassandra
