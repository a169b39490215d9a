#include "services/storage/store/rocksdb/events/indexed_days.hpp"

#include "libs/base/bytes.hpp"
#include "libs/base/random.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// Of the index, with its copy: epoch u64, first day u32 of which all items were indexed as they
// came, mark u64 of the damage (DamageStats) that was known when the row was written. Rows of
// before the mark end without it.
std::string row_of(Signal signal) {
  return signal == Signal::kTraces ? "m/span_index" : "m/log_index";
}

std::string_view what_becomes_of(Signal signal) {
  return signal == Signal::kTraces
             ? "spans that are in the store are indexed anew, by day, when they are asked for"
             : "log records that are in the store are searched without an index of their streams";
}
constexpr std::chrono::minutes kBetweenEpochs(1);
constexpr std::chrono::seconds kBetweenLooks(1);

}  // namespace

// Where both rows are gone nothing is known of the days that there are. What was found by an
// earlier process that was killed before it looked shows in the mark alone; a row that has none
// is believed where no damage was ever found.
Result<void> IndexedDays::load() {
  const std::uint64_t mark = store_.damage().mark;
  const std::lock_guard lock(mutex_);
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    const auto row = store_.get(family, row_of(signal_));
    if (!row) return forward(row);
    if (!row->has_value()) continue;
    ByteReader reader(**row);
    const std::uint64_t epoch = reader.read_u64();
    const std::uint32_t first = reader.read_u32();
    if (!reader.ok()) continue;
    const std::uint64_t own_mark = reader.rest().empty() ? 0 : reader.read_u64();
    if (!reader.ok() || own_mark != mark) break;
    epoch_ = epoch;
    first_ = first;
    mark_seen_ = mark;
    return {};
  }
  return begin_anew(mark);
}

Result<bool> IndexedDays::look() {
  const std::uint64_t mark = store_.damage().mark;
  const std::lock_guard lock(mutex_);
  if (mark == mark_seen_) return true;
  const TimePoint now = clock_.steady();
  if (begun_at_ && now < *begun_at_ + kBetweenEpochs) return false;
  if (auto begun = begin_anew(mark); !begun) return forward(begun);
  begun_at_ = now;
  return true;
}

Result<void> IndexedDays::look_at_times() {
  const TimePoint now = clock_.steady();
  {
    const std::lock_guard lock(mutex_);
    if (looked_at_ && now < *looked_at_ + kBetweenLooks) return {};
  }
  if (auto looked = look(); !looked) return forward(looked);
  const std::lock_guard lock(mutex_);
  looked_at_ = now;
  return {};
}

// `mark` is of before the days are looked at: what is found later shows as another one.
Result<void> IndexedDays::begin_anew(std::uint64_t mark) {
  const auto days = days_.between(0, UINT32_MAX);
  const std::uint32_t first = days.empty() ? 0 : days.back() + 1;
  const std::uint64_t epoch = random_u64();
  std::string value;
  append_u64(value, epoch);
  append_u32(value, first);
  append_u64(value, mark);
  const auto put = store_.put({{kv::Family::kIndex, row_of(signal_), value},
                               {kv::Family::kIdentity, row_of(signal_), value}},
                              kv::Durability::kNow);
  if (!put) return put;
  if (!days.empty()) {
    service::log_warn(what_becomes_of(signal_), {{"days", std::to_string(days.size())}});
  }
  first_ = first;
  epoch_ = epoch;
  mark_seen_ = mark;
  return {};
}

}  // namespace vigia::storage::store::rocksdb::events
