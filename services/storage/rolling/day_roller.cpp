#include "services/storage/rolling/day_roller.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/rollup/window_maker.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/rows/overlap_merge.hpp"

namespace vigia::storage::rolling {
namespace {

TimestampMs first_ms_of(std::uint32_t day) { return TimestampMs{day} * store::kDayMs + 1; }
TimestampMs last_ms_of(std::uint32_t day) { return (TimestampMs{day} + 1) * store::kDayMs; }

std::size_t bytes_of(const store::ChunkRow& row) { return 2 * sizeof(row) + row.data.size(); }

}  // namespace

bool DayRoller::Job::is_damaged(std::uint32_t day) const {
  return std::any_of(days.begin(), days.end(), [day](const MadeDay& made) {
    return made.due.place.day == day && made.is_damaged;
  });
}

Result<RolledCounts> DayRoller::roll(const CustomerId& customer, const store::SeriesKey& series,
                                     std::span<const store::DueDay> days, SettledDays& settled) {
  CHECK(!days.empty() && days.size() <= kDaysMax);
  RolledCounts counts;
  Job job{customer, series, {}};
  if (auto made = make_days(job, days, counts); !made) return forward(made);
  // Asked after the rows were read: it is noted before any of them goes.
  const std::uint32_t gone_day = book_.note(customer).raw_gone_day;
  std::erase_if(job.days, [gone_day](const MadeDay& day) { return day.due.place.day <= gone_day; });
  if (auto put = put_days(job, counts); !put) return forward(put);
  SettledDays own;
  for (const store::DueDay& day : days) {
    if (day.place.day > gone_day) continue;
    if (auto done = settle_empty(job, day, own); !done) return forward(done);
  }
  counts.days_gone = own.done.size();
  for (const MadeDay& day : job.days) {
    // What the walk over rows has marked may never have had any.
    if (day.has_samples || day.due.kind != store::DueKind::kPut) {
      own.done.push_back(day.due);
    } else if (auto done = settle_empty(job, day.due, own); !done) {
      return forward(done);
    }
  }
  counts.days_lost = own.lost.size();
  settled.done.insert(settled.done.end(), own.done.begin(), own.done.end());
  settled.lost.insert(settled.lost.end(), own.lost.begin(), own.lost.end());
  return counts;
}

// A day without raw: what was made of it stays, and where nothing was, that is told.
Result<void> DayRoller::settle_empty(const Job& job, const store::DueDay& day,
                                     SettledDays& settled) {
  const auto stored = is_stored(job, day.place.day);
  if (!stored) return forward(stored);
  (*stored ? settled.done : settled.lost).push_back(day);
  return {};
}

// Of each resolution that has the day at all.
Result<bool> DayRoller::is_stored(const Job& job, std::uint32_t day) {
  const RollupNote note = book_.note(job.customer);
  for (const Resolution resolution : kRolledUp) {
    const auto made_from = note.made_from_day(resolution);
    if (!made_from.has_value() || day < *made_from) continue;
    const TimestampMs from_ms = TimestampMs{day} * store::kDayMs;
    const auto rows = store::read_rows(chunks_, job.customer, job.series,
                                       {from_ms, from_ms + store::kDayMs - 1, resolution});
    if (!rows) return tl::unexpected<Error>(rows.error());
    const auto stored = windows_of_rows(*rows, resolution);
    if (!stored) return false;
    const auto is_of_day = [day](const Window& window) {
      return day_of_window(window.end_ms) == day;
    };
    const auto& others = stored->histogram_days;
    const bool is_there = std::any_of(stored->windows.begin(), stored->windows.end(), is_of_day) ||
                          std::find(others.begin(), others.end(), day) != others.end();
    if (!is_there) return false;
  }
  return true;
}

Result<void> DayRoller::make_days(Job& job, std::span<const store::DueDay> days,
                                  RolledCounts& counts) {
  for (const store::DueDay& due : days) {
    if (due.place.day <= book_.note(job.customer).raw_gone_day) continue;
    MadeDay day;
    day.due = due;
    auto made = make_day(job, day, counts);
    if (made) {
      job.days.push_back(std::move(day));
    } else if (made.error().code == ErrorCode::kOverLimit) {
      ++counts.days_too_large;
    } else {
      return made;
    }
  }
  return {};
}

// Of histograms it needs to know only that there are some.
Result<void> DayRoller::make_day(const Job& job, MadeDay& day, RolledCounts& counts) {
  const TimestampMs from_ms = first_ms_of(day.due.place.day);
  const TimestampMs to_ms = last_ms_of(day.due.place.day);
  const auto is_inside = [&](TimestampMs time_ms) {
    return time_ms >= from_ms && time_ms <= to_ms;
  };
  lanes::AnswerMemory memory(memory_, job.customer.text());
  std::vector<store::ChunkRow> rows;
  const auto cursor = chunks_.read(job.customer, {&job.series, 1}, {from_ms, to_ms});
  for (;;) {
    auto page = cursor->next();
    if (!page) return forward(page);
    if (page->empty()) break;
    for (store::ChunkRow& row : *page) {
      if (row.encoding != store::Encoding::kFloats) {
        // Its first and last are samples, and it is shorter than a day.
        day.has_histograms |= is_inside(row.first_ms) || is_inside(row.last_ms);
        day.has_samples |= day.has_histograms;
        continue;
      }
      if (auto fits = memory.add(bytes_of(row)); !fits) return fits;
      rows.push_back(std::move(row));
    }
  }
  auto separate = rows::merge_overlapping(std::move(rows), memory);
  if (!separate) return forward(separate);
  counts.unreadable_rows += separate->unreadable;
  day.is_damaged |= separate->unreadable > 0;
  add_windows(separate->rows, day, counts);
  return {};
}

// Row by row: each has 65,535 samples at the most. One that cannot be read costs itself.
void DayRoller::add_windows(const std::vector<store::ChunkRow>& rows, MadeDay& day,
                            RolledCounts& counts) {
  std::array<rollup::WindowMaker, kRolledUp.size()> makers = {
      rollup::WindowMaker(rollup::width_ms(kRolledUp[0])),
      rollup::WindowMaker(rollup::width_ms(kRolledUp[1])),
      rollup::WindowMaker(rollup::width_ms(kRolledUp[2]))};
  const auto add = [&](std::size_t i, const std::optional<Window>& window) {
    if (window.has_value()) day.windows.at(i).push_back(*window);
  };
  for (const store::ChunkRow& row : rows) {
    const auto samples = chunk::read_samples(row.data);
    if (!samples) {
      ++counts.unreadable_rows;
      day.is_damaged = true;
      continue;
    }
    for (const Sample& sample : *samples) {
      if (store::window_day_of(sample.timestamp_ms) != day.due.place.day) continue;
      day.has_samples = true;
      for (std::size_t i = 0; i < makers.size(); ++i) add(i, makers.at(i).add(sample));
    }
  }
  for (std::size_t i = 0; i < makers.size(); ++i) add(i, makers.at(i).finish());
}

Result<void> DayRoller::put_days(const Job& job, RolledCounts& counts) {
  std::vector<store::ClosedChunk> rows;
  for (std::size_t i = 0; i < kRolledUp.size(); ++i) {
    if (!book_.made().at(i)) continue;
    if (auto added = add_rows(job, i, rows, counts); !added) return added;
  }
  add_histogram_days(job, rows);
  counts.days = job.days.size();
  return rows.empty() ? Result<void>() : store::put_now(chunks_, job.customer, rows);
}

// One row a period: what it has of other days stays in it.
Result<void> DayRoller::add_rows(const Job& job, std::size_t resolution,
                                 std::vector<store::ClosedChunk>& rows, RolledCounts& counts) {
  const Resolution width = kRolledUp.at(resolution);
  std::map<std::uint32_t, std::vector<Window>> made;  // by period
  for (const MadeDay& day : job.days) {
    const std::vector<Window>& windows = day.windows.at(resolution);
    if (windows.empty()) continue;
    auto& period = made[period_of(width, day.due.place.day)];
    period.insert(period.end(), windows.begin(), windows.end());
  }
  for (const auto& [period, windows] : made) {
    auto stored = stored_period(job, width, period);
    if (!stored) return forward(stored);
    rows.push_back(window_row(job.series, width,
                              joined_with(job, std::move(stored->windows), windows, counts)));
    rows.back().replaces = stored->edition;
  }
  return {};
}

// In order. Of two for one time the stored one stays where it may hold samples that are gone.
std::vector<Window> DayRoller::joined_with(const Job& job, std::vector<Window> stored,
                                           const std::vector<Window>& made, RolledCounts& counts) {
  const auto is_before = [](const Window& left, const Window& right) {
    return left.end_ms < right.end_ms;
  };
  const std::size_t stored_count = stored.size();
  for (const Window& window : made) {
    const auto end = stored.begin() + static_cast<std::ptrdiff_t>(stored_count);
    const auto at = std::lower_bound(stored.begin(), end, window, is_before);
    if (at == end || at->end_ms != window.end_ms) {
      stored.push_back(window);
    } else if (job.is_damaged(day_of_window(window.end_ms)) || !holds_all_of(window, *at)) {
      ++counts.windows_kept;
      continue;
    } else {
      *at = window;
    }
    ++counts.windows;
  }
  std::sort(stored.begin(), stored.end(), is_before);
  return stored;
}

// A damaged row is made anew, and with it whatever else there is raw of: its other days are lost.
Result<DayRoller::StoredPeriod> DayRoller::stored_period(const Job& job, Resolution resolution,
                                                         std::uint32_t period) {
  const TimestampMs from_ms = TimestampMs{period} * store::kDayMs;
  const TimestampMs to_ms = from_ms + store::row_span_max_ms(resolution) - 1;
  const auto rows =
      store::read_rows(chunks_, job.customer, job.series, {from_ms, to_ms, resolution});
  if (!rows) return tl::unexpected<Error>(rows.error());
  StoredPeriod found;
  for (const store::ChunkRow& row : *rows) {
    if (row.first_ms == from_ms && !is_histogram_day(row)) found.edition = row.edition;
  }
  auto stored = windows_of_rows(*rows, resolution);
  if (!stored) {
    if (auto forgotten = book_.forget_marks(); !forgotten) return forward(forgotten);
    return found;
  }
  std::erase_if(stored->windows, [&](const Window& window) {
    return period_of(resolution, day_of_window(window.end_ms)) != period;
  });
  found.windows = std::move(stored->windows);
  return found;
}

void DayRoller::add_histogram_days(const Job& job, std::vector<store::ClosedChunk>& rows) const {
  for (const MadeDay& day : job.days) {
    if (!day.has_histograms) continue;
    for (std::size_t i = 0; i < kRolledUp.size(); ++i) {
      if (!book_.made().at(i)) continue;
      rows.push_back(histogram_day_row(job.series, kRolledUp.at(i), day.due.place.day));
    }
  }
}

}  // namespace vigia::storage::rolling
