#include "services/storage/store/rocksdb/kv/day_set.hpp"

#include <algorithm>
#include <utility>

#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/malformed_rows.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

// Behind a day's origins (one) and behind its index (two), docs/formats/cold-store.md.
constexpr int kZerosMax = 2;

// By the day's end: its last row must be too old before the first may go.
bool is_over(std::uint32_t day, TimestampMs cut_ms) {
  return (static_cast<TimestampMs>(day) + 1) * kDayMs <= cut_ms;
}

// Those between the two.
bool are_all_over(std::uint32_t first, std::uint32_t last,
                  const std::function<bool(std::uint32_t)>& is_over) {
  for (std::uint32_t number = first + 1; number < last; ++number) {
    if (!is_over(number)) return false;
  }
  return true;
}

}  // namespace

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
  if (day < watched_before_) touched_.insert(day);
}

std::vector<std::uint32_t> DaySet::between(std::uint32_t first, std::uint32_t last) const {
  if (first > last) return {};
  const std::lock_guard lock(mutex_);
  return {days_.lower_bound(first), days_.upper_bound(last)};
}

Result<std::size_t> DaySet::expire(const DayCuts& cuts, TimestampMs overhang_ms) {
  std::size_t dropped = 0;
  const std::set<std::uint32_t> parts = begin_parts(cuts, overhang_ms);
  for (const std::uint32_t day : between(0, UINT32_MAX)) {
    if (!is_over(day, cuts.latest_ms - overhang_ms)) break;
    if (is_over(day, cuts.earliest_ms - overhang_ms)) {
      // First forgotten, then dropped: what is put meanwhile notes its day anew.
      forget(day);
      if (auto done = drop(day); !done) {
        note(day);  // some of it may be there still
        parts_until_.reset();
        return forward(done);
      }
      ++dropped;
      continue;
    }
    if (!parts.contains(day)) continue;
    const auto some = drop_part(
        day, [&](std::uint32_t number) { return is_over(day, cuts.of(number) - overhang_ms); });
    if (!some) {
      parts_until_.reset();
      return forward(some);
    }
    if (*some) ++dropped;
  }
  return dropped;
}

// Which days have to be looked through for whose are over: all of them where somebody's cut is of
// another day than the last time, else those that something was put into since.
std::set<std::uint32_t> DaySet::begin_parts(const DayCuts& cuts, TimestampMs overhang_ms) {
  const auto until = [&](TimestampMs cut_ms) {
    return cut_ms <= overhang_ms ? 0U : day_of(cut_ms - overhang_ms);
  };
  std::map<std::uint32_t, std::uint32_t> now = {{0, until(cuts.before_ms)}};  // nobody's number
  for (const auto& [number, cut_ms] : cuts.own) now[number] = until(cut_ms);
  const bool is_new = parts_until_ != now;
  parts_until_ = std::move(now);
  const std::lock_guard lock(mutex_);
  watched_before_ = until(cuts.latest_ms);
  std::set<std::uint32_t> touched = std::move(touched_);
  touched_.clear();
  return is_new ? days_ : touched;
}

Result<bool> DaySet::drop_part(std::uint32_t day, const IsOver& is_over) {
  auto own = drop_part({family_, day_key(day), kZerosMax}, is_over);
  if (!own || copies_.empty()) return own;
  const auto copied = drop_part({Family::kIdentity, copies_ + day_key(day), kZerosMax}, is_over);
  return copied ? *own || *copied : copied;
}

// Neighbours go with one range, which only covers numbers that are over: who comes new meanwhile
// has a number between two of them, or his first key of that day.
Result<bool> DaySet::drop_part(const Place& place, const IsOver& is_over) {
  const auto key_of = [&](std::uint64_t number) {
    std::string key = place.prefix;
    if (number > UINT32_MAX) return after_prefix(key);
    append_key_u32(key, static_cast<std::uint32_t>(number));
    return key;
  };
  bool has_dropped = false;
  bool has_inner = false;
  std::optional<std::uint32_t> from;  // of the numbers that go: from this one
  std::uint32_t to = 0;               // to this one
  const auto drop_run = [&]() -> Result<void> {
    if (!from.has_value()) return {};
    has_dropped = true;
    return store_.drop_range(place.family, key_of(*std::exchange(from, std::nullopt)),
                             key_of(std::uint64_t{to} + 1));
  };
  const auto scan = store_.scan(place.family, place.prefix, after_prefix(place.prefix));
  while (scan->next()) {
    std::string_view rest = scan->key().substr(place.prefix.size());
    bool ok = true;
    const std::uint32_t number = take_key_u32(rest, ok);
    if (!ok) continue;  // its reader sets it aside
    if (number == 0 && place.zeros_left > 0) {
      has_inner = true;
    } else if (is_over(number)) {
      const bool goes_on = from.has_value() && are_all_over(to, number, is_over);
      if (!goes_on) {
        if (auto done = drop_run(); !done) return forward(done);
        from = number;
      }
      to = number;
    }
    if (number == UINT32_MAX) break;
    scan->seek(key_of(std::uint64_t{number} + 1));
  }
  if (auto status = scan->status(); !status) return forward(status);
  if (auto done = drop_run(); !done) return forward(done);
  if (!has_inner) return has_dropped;
  // Behind what needs it: a kill in between leaves nothing that seems to be damaged.
  const auto inner = drop_part({place.family, key_of(0), place.zeros_left - 1}, is_over);
  return inner ? has_dropped || *inner : inner;
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
