#include "services/storage/store/rocksdb/kv/day_set.hpp"

#include <algorithm>

#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {

std::string day_key(std::uint32_t day) {
  std::string key;
  append_key_u32(key, day);
  return key;
}

Result<void> DaySet::load() {
  const std::lock_guard lock(mutex_);
  MalformedRows malformed(store_, "a key that is shorter than a day");
  const auto scan = store_.scan(family_, "", "");
  while (scan->next()) {
    std::string_view key = scan->key();
    bool ok = true;
    const std::uint32_t day = take_key_u32(key, ok);
    if (!ok) {
      malformed.add(family_, *scan);
      continue;
    }
    days_.insert(day);
    // Not each row but one per day: a seek over the day's rest makes loading cost days, not rows.
    if (day == UINT32_MAX) break;
    scan->seek(day_key(day + 1));
  }
  return scan->status();
}

void DaySet::note(std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  days_.insert(day);
}

std::vector<std::uint32_t> DaySet::between(std::uint32_t first, std::uint32_t last) const {
  if (first > last) return {};
  const std::lock_guard lock(mutex_);
  return {days_.lower_bound(first), days_.upper_bound(last)};
}

Result<std::size_t> DaySet::expire(TimestampMs before_ms, TimestampMs overhang_ms) {
  std::size_t dropped = 0;
  for (const std::uint32_t day : between(0, UINT32_MAX)) {
    // By the day's end: its last row must be too old before the first may go.
    if ((static_cast<TimestampMs>(day) + 1) * kDayMs + overhang_ms > before_ms) break;
    // First forgotten, then dropped: what is put meanwhile notes its day anew.
    forget(day);
    const auto done = drop(day);
    if (!done) {
      note(day);  // some of it may be there still
      return forward(done);
    }
    ++dropped;
  }
  return dropped;
}

Result<void> DaySet::drop(std::uint32_t day) {
  const std::string from = day_key(day);
  const std::string to = day_key(day + 1);
  if (auto dropped = store_.drop_range(family_, from, to); !dropped) return dropped;
  if (copies_.empty()) return {};
  return store_.drop_range(Family::kIdentity, copies_ + from, copies_ + to);
}

void DaySet::forget(std::uint32_t day) {
  const std::lock_guard lock(mutex_);
  days_.erase(day);
}

}  // namespace vigia::storage::store::rocksdb::kv
