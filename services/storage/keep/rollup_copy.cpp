#include "services/storage/keep/rollup_copy.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "services/storage/keep/resolved_ids.hpp"
#include "services/storage/keep/while_it_passes.hpp"

namespace vigia::storage::keep {
namespace {

constexpr std::size_t kMarksAtOnce = 1'024;

store::DayRange days_of(const rolling::StoredWindows& stored) {
  store::DayRange days = store::kNoDays;
  if (!stored.windows.empty()) {
    days = {rolling::day_of_window(stored.windows.front().end_ms),
            rolling::day_of_window(stored.windows.back().end_ms)};
  }
  for (const std::uint32_t day : stored.histogram_days) days = joined(days, {day, day});
  return days;
}

void leave_before(std::uint32_t day, rolling::StoredWindows& stored) {
  std::erase_if(stored.windows, [day](const rolling::Window& window) {
    return rolling::day_of_window(window.end_ms) < day;
  });
  std::erase_if(stored.histogram_days, [day](std::uint32_t own) { return own < day; });
}

// What lies there with what comes, in order: a window stays that holds more than the one that
// comes.
std::vector<rolling::Window> joined_windows(const std::vector<rolling::Window>& own,
                                            const std::vector<rolling::Window>& there,
                                            Resolution resolution, CopyCounts& counts) {
  std::map<TimestampMs, rolling::Window> all;
  for (const rolling::Window& window : there) all.emplace(window.end_ms, window);
  for (const rolling::Window& window : own) {
    const auto [at, is_new] = all.emplace(window.end_ms, window);
    if (is_new) {
      ++counts.windows;
    } else if (bytes_of(at->second, resolution) == bytes_of(window, resolution)) {
      ++counts.windows_there;
    } else if (rolling::holds_all_of(window, at->second)) {
      at->second = window;
      ++counts.windows;
    } else {
      ++counts.windows_kept;
    }
  }
  std::vector<rolling::Window> windows;
  windows.reserve(all.size());
  for (const auto& [end_ms, window] : all) windows.push_back(window);
  return windows;
}

}  // namespace

Result<CopyCounts> RollupCopy::copy_day(const CustomerId& customer, const CarriedRollups& carried,
                                        std::uint32_t day) {
  CopyCounts counts;
  for (std::size_t i = 0; i < carried.from.size(); ++i) {
    const Job job{customer, {rolling::kRolledUp.at(i), day}, carried.from.at(i).value_or(0)};
    const bool is_begin = rolling::period_of(job.period.resolution, day) == day;
    if (!carried.from.at(i) || !is_begin || job.period.last_day() < job.from_day) continue;
    const auto copied = while_it_passes("roll-ups", [&]() -> Result<CopyCounts> {
      CopyCounts own;
      const auto put_page = [&](const SeriesPage& page, std::vector<SeriesWindows> windows) {
        return put(job, page, std::move(windows), own);
      };
      const auto damaged = each_rollup_page(from_, customer, job.period, say_, put_page);
      if (!damaged) return forward(damaged);
      own.damaged += *damaged;
      return own;
    });
    if (!copied) return copied;
    counts += *copied;
  }
  return counts;
}

Result<void> RollupCopy::put(const Job& job, const SeriesPage& page,
                             std::vector<SeriesWindows> windows, CopyCounts& counts) {
  for (SeriesWindows& own : windows) leave_before(job.from_day, own.stored);
  std::erase_if(windows, [](const SeriesWindows& own) {
    return own.stored.windows.empty() && own.stored.histogram_days.empty();
  });
  if (windows.empty()) return {};
  // Who else has put a row meanwhile has it read and joined anew.
  const auto put = while_it_passes("rows of roll-ups that are there",
                                   [&] { return put_once(job, page, windows); });
  if (!put) return forward(put);
  counts += *put;
  return {};
}

Result<CopyCounts> RollupCopy::put_once(const Job& job, const SeriesPage& page,
                                        const std::vector<SeriesWindows>& windows) {
  DaysOfSeries days;
  for (const SeriesWindows& own : windows) days[own.at] = days_of(own.stored);
  const auto ids = resolved_ids(to_.catalog(), job.customer, page, days);
  if (!ids) return tl::unexpected<Error>(ids.error());
  std::vector<store::SeriesKey> keys;
  for (const SeriesWindows& own : windows) {
    keys.push_back({std::string(page[own.at].labels.metric_name()), ids->at(own.at)});
  }
  CopyCounts counts;
  std::set<std::size_t> unread;
  const auto note_unread = [&](std::size_t at, const std::string& why) {
    unread.insert(at);
    ++counts.damaged;
    say_(fmt::format("customer {}, {}, {} roll-ups of the other store: {}; they are not copied",
                     job.customer.text(), to_string(page[windows[at].at].labels),
                     to_string(job.period.resolution), why));
  };
  auto found = read_windows(to_.chunks(), job.customer, keys, job.period, note_unread);
  if (!found) return tl::unexpected<Error>(found.error());
  std::map<std::size_t, SeriesWindows> there;
  for (SeriesWindows& one : *found) there[one.at] = std::move(one);
  std::vector<store::ClosedChunk> rows;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!unread.contains(i)) add_rows(job, keys[i], windows[i], there[i], rows, counts);
  }
  if (rows.empty()) return counts;
  if (auto put = store::put_now(to_.chunks(), job.customer, rows); !put) return forward(put);
  return counts;
}

void RollupCopy::add_rows(const Job& job, const store::SeriesKey& key, const SeriesWindows& own,
                          const SeriesWindows& there, std::vector<store::ClosedChunk>& rows,
                          CopyCounts& counts) {
  const Resolution resolution = job.period.resolution;
  const std::uint64_t before = counts.windows;
  const auto windows = joined_windows(own.stored.windows, there.stored.windows, resolution, counts);
  if (counts.windows > before) {
    rows.push_back(rolling::window_row(key, resolution, windows));
    rows.back().replaces = there.edition;
  }
  const auto& known = there.stored.histogram_days;
  for (const std::uint32_t day : own.stored.histogram_days) {
    if (std::find(known.begin(), known.end(), day) != known.end()) {
      ++counts.windows_there;
      continue;
    }
    ++counts.windows;
    rows.push_back(rolling::histogram_day_row(key, resolution, day));
  }
}

Result<CopyCounts> RollupCopy::count_left(const CustomerId& customer,
                                          const CarriedRollups& carried) {
  return while_it_passes("roll-ups", [&]() -> Result<CopyCounts> {
    CopyCounts counts;
    for (std::size_t i = 0; i < carried.from.size(); ++i) {
      const auto rows =
          count_rows(customer, rolling::kRolledUp.at(i), carried.from.at(i).value_or(UINT32_MAX));
      if (!rows) return forward(rows);
      counts.old_rollups += *rows;
    }
    return counts;
  });
}

Result<std::uint64_t> RollupCopy::count_rows(const CustomerId& customer, Resolution resolution,
                                             std::uint32_t before_day) {
  std::uint64_t count = 0;
  if (before_day == 0) return count;
  store::ChunkQuery query{0, TimestampMs{before_day} * store::kDayMs - 1, resolution};
  query.wants_data = false;
  const auto visit = [&](const SeriesPage& page) -> Result<void> {
    const auto keys = keys_of(page);
    const auto cursor = from_.chunks().read(customer, keys, query);
    for (;;) {
      const auto rows = cursor->next();
      if (!rows && rows.error().code != ErrorCode::kCorrupt) return forward(rows);
      if (!rows) continue;
      if (rows->empty()) return {};
      count += static_cast<std::uint64_t>(std::count_if(
          rows->begin(), rows->end(),
          [&](const store::ChunkRow& row) { return store::day_of(row.last_ms) < before_day; }));
    }
  };
  if (auto visited = each_page(from_.catalog(), customer, {0, before_day}, visit); !visited) {
    return forward(visited);
  }
  return count;
}

Result<CopyCounts> RollupCopy::count_marks(const CustomerId& customer,
                                           const CarriedRollups& carried,
                                           const rolling::RollupNote& note) {
  CopyCounts counts;
  store::DueDays* due_days = from_.chunks().due_days();
  if (due_days == nullptr || !carried.is_any()) return counts;
  const bool does_more_go = carried.raw_gone_day > note.raw_gone_day;
  if (does_more_go && !note.is_marked && carried.first_day() <= carried.raw_gone_day) {
    ++counts.days_due;
  }
  for (store::DuePlace from;;) {
    const auto marks = while_it_passes("marks of days",
                                       [&] { return due_days->due(customer, from, kMarksAtOnce); });
    if (!marks) return tl::unexpected<Error>(marks.error());
    for (const store::DueDay& mark : *marks) {
      const std::uint32_t day = mark.place.day;
      if (day < carried.first_day()) continue;
      if (mark.kind == store::DueKind::kLost) {
        ++counts.days_lost;
      } else if (day > note.raw_gone_day && day <= carried.raw_gone_day) {
        ++counts.days_due;
      }
    }
    if (marks->size() < kMarksAtOnce) return counts;
    from = marks->back().place;
    from.day == UINT32_MAX ? (++from.series.value, from.day = 0) : ++from.day;
  }
}

}  // namespace vigia::storage::keep
