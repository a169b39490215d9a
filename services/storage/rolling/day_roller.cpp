#include "services/storage/rolling/day_roller.hpp"

#include <algorithm>
#include <iterator>

#include "libs/base/check.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::rolling {
namespace {

TimestampMs first_ms_of(std::uint32_t day) { return TimestampMs{day} * store::kDayMs + 1; }
TimestampMs last_ms_of(std::uint32_t day) { return (TimestampMs{day} + 1) * store::kDayMs; }

template <typename T>
void keep_range(std::vector<T>& samples, TimestampMs from_ms, TimestampMs to_ms) {
  std::erase_if(samples, [&](const T& sample) {
    return sample.timestamp_ms < from_ms || sample.timestamp_ms > to_ms;
  });
}

}  // namespace

Result<RolledCounts> DayRoller::roll(const CustomerId& customer, const store::SeriesKey& series,
                                     std::span<const store::DueDay> days) {
  CHECK(!days.empty() && days.size() <= kDaysMax);
  RolledCounts counts;
  const Job job{customer, series, {days.front().place.day, days.back().place.day}};
  const TimestampMs from_ms = first_ms_of(job.days.first);
  const TimestampMs to_ms = last_ms_of(job.days.last);
  auto rows = store::read_rows(chunks_, customer, series, {from_ms, to_ms});
  if (!rows) return tl::unexpected<Error>(rows.error());
  auto raw = store::merge_rows(*rows);
  if (!raw) {  // a row that cannot be read costs itself, here as in reads
    counts.unreadable_rows = store::erase_unreadable(*rows);
    raw = store::merge_rows(*rows);
  }
  if (!raw) return forward(raw);
  keep_range(raw->samples, from_ms, to_ms);
  keep_range(raw->histograms, from_ms, to_ms);
  // Asked after the rows were read: it is noted before any of them goes.
  if (job.days.first > book_.note().raw_gone_day) {
    for (std::size_t i = 0; i < kRolledUp.size(); ++i) {
      if (!book_.made().at(i)) continue;
      const auto put = put_windows(job, raw->samples, kRolledUp.at(i));
      if (!put) return forward(put);
      counts.windows += *put;
    }
    std::vector<std::uint32_t> histogram_days;
    for (const auto& histogram : raw->histograms) {
      const std::uint32_t day = store::window_day_of(histogram.timestamp_ms);
      if (histogram_days.empty() || histogram_days.back() != day) histogram_days.push_back(day);
    }
    if (auto put = put_histogram_days(job, histogram_days); !put) return forward(put);
    counts.days = days.size();
  } else {
    counts.days_gone = days.size();
  }
  if (auto done = chunks_.due_days()->done(customer, days); !done) return forward(done);
  return counts;
}

// One row a period: what it has of other days stays in it.
Result<std::uint64_t> DayRoller::put_windows(const Job& job, const std::vector<Sample>& samples,
                                             Resolution resolution) {
  const auto made = rollup::windows_of(samples, rollup::width_ms(resolution));
  std::vector<store::ClosedChunk> rows;
  for (auto from = made.begin(); from != made.end();) {
    const std::uint32_t period = period_of(resolution, day_of_window(from->end_ms));
    const auto to = std::find_if(from, made.end(), [&](const Window& window) {
      return period_of(resolution, day_of_window(window.end_ms)) != period;
    });
    auto windows = kept_beside(job, resolution, period);
    if (!windows) return tl::unexpected<Error>(windows.error());
    const auto place = std::find_if(windows->begin(), windows->end(), [&](const Window& window) {
      return window.end_ms > from->end_ms;
    });
    windows->insert(place, from, to);
    rows.push_back(window_row(job.series, resolution, *windows));
    from = to;
  }
  if (auto done = put(job, rows); !done) return forward(done);
  return made.size();
}

// A damaged row is made anew, and with it whatever else there is raw of: its other days are lost.
Result<std::vector<Window>> DayRoller::kept_beside(const Job& job, Resolution resolution,
                                                   std::uint32_t period) {
  const TimestampMs from_ms = TimestampMs{period} * store::kDayMs;
  const TimestampMs to_ms = from_ms + store::row_span_max_ms(resolution) - 1;
  const auto rows =
      store::read_rows(chunks_, job.customer, job.series, {from_ms, to_ms, resolution});
  if (!rows) return tl::unexpected<Error>(rows.error());
  auto stored = windows_of_rows(*rows, resolution);
  if (!stored) {
    if (auto forgotten = book_.forget_marks(); !forgotten) return forward(forgotten);
    return std::vector<Window>();
  }
  std::erase_if(stored->windows, [&](const Window& window) {
    const std::uint32_t day = day_of_window(window.end_ms);
    return period_of(resolution, day) != period || (day >= job.days.first && day <= job.days.last);
  });
  return std::move(stored->windows);
}

Result<void> DayRoller::put_histogram_days(const Job& job, const std::vector<std::uint32_t>& days) {
  std::vector<store::ClosedChunk> rows;
  for (const std::uint32_t day : days) {
    for (std::size_t i = 0; i < kRolledUp.size(); ++i) {
      if (!book_.made().at(i)) continue;
      rows.push_back(histogram_day_row(job.series, kRolledUp.at(i), day));
    }
  }
  return put(job, rows);
}

Result<void> DayRoller::put(const Job& job, const std::vector<store::ClosedChunk>& rows) {
  if (rows.empty()) return {};
  return store::put_now(chunks_, job.customer, rows);
}

}  // namespace vigia::storage::rolling
