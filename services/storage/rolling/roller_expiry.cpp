// Roller: what of raw samples, and of marks, may go.
#include <algorithm>
#include <utility>

#include "services/storage/rolling/roller.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr std::size_t kWatchedMax = 1'024;  // marks of a customer that raw may wait for

// The windows of a day hold samples of chunks that begin on the day before it, on it, and on the
// stroke of the next one.
std::uint32_t last_day_gone(TimestampMs before_ms) {
  return before_ms <= store::kChunkSpanMs ? 0 : store::day_of(before_ms - store::kChunkSpanMs);
}

}  // namespace

Result<std::vector<store::DueDay>> Roller::watched_of(const CustomerId& customer,
                                                      const store::DayRange& days) {
  std::vector<store::DueDay> watched;
  for (store::DuePlace from; watched.size() < kWatchedMax;) {
    const auto some = due_days_.due(customer, from, kWatchedMax);
    if (!some) return some;
    for (const store::DueDay& day : *some) {
      if (day.kind == store::DueKind::kLost) continue;  // raw of it may go
      if (watched.size() < kWatchedMax && days.contains({day.place.day, day.place.day})) {
        watched.push_back(day);
      }
    }
    if (some->size() < kWatchedMax) break;
    from = after(some->back().place);
  }
  return watched;
}

// UINT32_MAX where none is. What goes next is watched too, so that it is known by then.
std::uint32_t Roller::first_held_day(std::span<const CustomerId> customers,
                                     const store::DayRange& days) {
  constexpr std::uint32_t kDaysAhead = 2;
  std::uint32_t first = UINT32_MAX;
  for (const CustomerId& customer : customers) {
    auto now = watched_of(customer, {days.first, days.last + kDaysAhead});
    const std::vector<store::DueDay> before = std::move(watched_[customer]);
    watched_.erase(customer);
    if (!now) {
      note_failure(customer, 0, now.error().message);
      continue;
    }
    for (const store::DueDay& day : before) {
      const auto at =
          std::partition_point(now->begin(), now->end(),
                               [&](const store::DueDay& other) { return other.place < day.place; });
      if (at == now->end() || at->place != day.place || at->stamp != day.stamp) continue;
      if (days.contains({day.place.day, day.place.day})) first = std::min(first, day.place.day);
    }
    if (!now->empty()) watched_[customer] = std::move(*now);
  }
  return sources_.is_writable() ? first : UINT32_MAX;
}

TimestampMs Roller::held_of(std::span<const CustomerId> customers, const RollupNote& note,
                            TimestampMs before_ms) {
  std::uint32_t gone_day = note.raw_gone_day;
  for (const CustomerId& customer : customers) {
    const auto own = note.own.find(customer);
    if (customers.size() == 1) gone_day = note.days_of(customer).raw_gone_day;
    if (own != note.own.end()) gone_day = std::min(gone_day, own->second.raw_gone_day);
  }
  const std::uint32_t last_day = last_day_gone(before_ms);
  if (last_day <= gone_day) return before_ms;  // nothing new goes: no mark is looked at
  const std::uint32_t due = first_held_day(customers, {gone_day + 1, last_day});
  if (due == UINT32_MAX) return before_ms;
  const TimestampMs longest_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings_.held_max).count();
  TimestampMs held_ms = (TimestampMs{due} - 1) * store::kDayMs + store::kChunkSpanMs;
  held_ms = std::clamp(held_ms, before_ms - longest_ms, before_ms);
  const std::lock_guard lock(mutex_);
  is_wanted_ = is_wanted_ || held_ms < before_ms;
  wake_.notify_all();
  return held_ms;
}

Result<store::ExpiryCuts> Roller::let_raw_go(const store::ExpiryCuts& cuts) {
  const RollupNote note = book_.note();
  std::vector<CustomerId> others = cold_.catalog().customers();
  std::erase_if(others, [&](const CustomerId& customer) { return cuts.own.contains(customer); });
  store::ExpiryCuts held(held_of(others, note, cuts.before_ms));
  CustomerDays gone;
  for (const auto& [customer, before_ms] : cuts.own) {
    const TimestampMs own_ms = held_of({&customer, 1}, note, before_ms);
    held.own.emplace(customer, own_ms);
    gone.emplace(customer, last_day_gone(own_ms));
  }
  if (auto noted = book_.set_raw_gone(last_day_gone(held.before_ms), gone); !noted) {
    return forward(noted);
  }
  return held;
}

Result<std::size_t> Roller::let_marks_go(TimestampMs before_ms) {
  const std::uint32_t day = store::day_of(before_ms);
  if (day <= forgotten_before_) return 0U;
  auto count = due_days_.forget_before(day);
  if (count) forgotten_before_ = day;
  return count;
}

}  // namespace vigia::storage::rolling
