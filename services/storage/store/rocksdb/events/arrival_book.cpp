#include "services/storage/store/rocksdb/events/arrival_book.hpp"

#include <algorithm>

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr Duration kUnaskedMax = std::chrono::minutes(2);
// What comes within so much of a step's first is of the step: a step is looked through whole.
constexpr std::uint64_t kStepMs = 50;
constexpr std::uint64_t kLateMsMax = 10ULL * 60 * 1000;
constexpr std::uint64_t kAheadMsMax = kDayMs;
constexpr std::uint64_t kNsPerMs = 1'000'000;

}  // namespace

ArrivalBook::Arrival ArrivalBook::open(const CustomerId& customer, TimestampMs now_ms) {
  const std::lock_guard lock(mutex_);
  last_ = std::max(static_cast<std::uint64_t>(std::max<TimestampMs>(now_ms, 0)), last_ + 1);
  open_.emplace(customer, last_);
  return {*this, customer, last_};
}

void ArrivalBook::end(const CustomerId& customer, std::uint64_t number, const TimeSpans& times) {
  const std::lock_guard lock(mutex_);
  const auto [begin, end] = open_.equal_range(customer);
  open_.erase(std::find_if(begin, end, [&](const auto& each) { return each.second == number; }));
  const auto found = followed_.find(customer);
  if (found == followed_.end() || times.is_empty()) return;
  auto& steps = found->second.steps;
  // Requests end in another order than they began in: a step holds what it may not leave out.
  if (steps.empty() || number > steps.back().first + kStepMs) {
    steps.push_back({number, number, times});
  } else {
    steps.back().first = std::min(steps.back().first, number);
    steps.back().last = std::max(steps.back().last, number);
    steps.back().times.add(times);
  }
  if (steps.size() <= kStepsMax) return;
  steps[1].first = std::min(steps[0].first, steps[1].first);
  steps[1].last = std::max(steps[0].last, steps[1].last);
  steps[1].times.add(steps[0].times);
  steps.pop_front();
}

/// All that came up to it has been written.
std::uint64_t ArrivalBook::settled(const CustomerId& customer) const {
  std::uint64_t least = last_ + 1;
  const auto [begin, end] = open_.equal_range(customer);
  for (auto at = begin; at != end; ++at) least = std::min(least, at->second);
  return least - 1;
}

void ArrivalBook::forget_unasked(TimePoint now) {
  std::erase_if(followed_, [&](const auto& each) { return now - each.second.asked > kUnaskedMax; });
}

TimeSpans ArrivalBook::unknown_times(std::uint64_t after, TimestampMs now_ms) {
  TimeSpans times;
  const auto now = static_cast<std::uint64_t>(std::max<TimestampMs>(now_ms, 0));
  const std::uint64_t from = std::min(after, now);
  // What has no time, or one too far ahead, is filed under the first moment of its day.
  times.add(TimeSpan{from / kDayMs * kDayMs * kNsPerMs, from / kDayMs * kDayMs * kNsPerMs});
  times.add(TimeSpan{(from - std::min(from, kLateMsMax)) * kNsPerMs,
                     (std::max(after, now) + kAheadMsMax) * kNsPerMs});
  return times;
}

LogArrivals ArrivalBook::since(const CustomerId& customer, std::optional<std::uint64_t> after) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.steady();
  const std::uint64_t upto = settled(customer);
  auto found = followed_.find(customer);
  if (found == followed_.end()) {
    forget_unasked(now);
    found = followed_.emplace(customer, Followed{upto, now, {}}).first;
  }
  Followed& followed = found->second;
  followed.asked = now;
  LogArrivals arrivals{upto, {}};
  if (!after || *after >= upto) return arrivals;
  TimeSpans times;
  if (*after < followed.from) times = unknown_times(*after, clock_.wall_ms());
  for (const Step& step : followed.steps) {
    if (step.last > *after && step.first <= upto) times.add(step.times);
  }
  for (const TimeSpan& span : times.spans()) arrivals.times.push_back(span);
  return arrivals;
}

}  // namespace vigia::storage::store::rocksdb::events
