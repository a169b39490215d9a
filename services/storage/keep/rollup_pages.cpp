#include "services/storage/keep/rollup_pages.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace vigia::storage::keep {
namespace {

// Its rows, as the store gave them.
Result<SeriesWindows> windows_of(std::size_t at, const std::vector<store::ChunkRow>& rows,
                                 const RollupPeriod& period) {
  auto stored = rolling::windows_of_rows(rows, period.resolution);
  if (!stored) return forward(stored);
  SeriesWindows found{at, *std::move(stored)};
  for (const store::ChunkRow& row : rows) {
    if (row.first_ms == period.query().from_ms && !rolling::is_histogram_day(row)) {
      found.edition = row.edition;
    }
  }
  return found;
}

}  // namespace

store::ChunkQuery RollupPeriod::query() const {
  const TimestampMs from_ms = TimestampMs{first_day} * store::kDayMs;
  return {from_ms, from_ms + store::row_span_max_ms(resolution) - 1, resolution};
}

Result<std::vector<SeriesWindows>> read_windows(store::ChunkStore& chunks,
                                                const CustomerId& customer,
                                                std::span<const store::SeriesKey> series,
                                                const RollupPeriod& period,
                                                const UnreadRollup& unread) {
  std::vector<SeriesWindows> all;
  std::vector<store::ChunkRow> rows;  // of one series
  std::size_t at = 0;
  const auto finish = [&] {
    if (rows.empty()) return;
    auto windows = windows_of(at, std::exchange(rows, {}), period);
    if (windows) {
      all.push_back(*std::move(windows));
    } else {
      unread(at, windows.error().message);
    }
  };
  const auto cursor = chunks.read(customer, series, period.query());
  for (;;) {
    auto page = cursor->next();
    if (!page && page.error().code != ErrorCode::kCorrupt) return forward(page);
    if (page && page->empty()) break;
    if (cursor->at() != at) finish();
    at = cursor->at();
    if (!page) {
      rows.clear();
      unread(at, page.error().message);
      continue;
    }
    std::move(page->begin(), page->end(), std::back_inserter(rows));
  }
  finish();
  return all;
}

// A sample of midnight is of the window that ends then, and of the next day in the index.
Result<std::uint64_t> each_rollup_page(store::ColdStore& store, const CustomerId& customer,
                                       const RollupPeriod& period, const SayDamage& say,
                                       const RollupVisit& visit) {
  std::uint64_t damaged = 0;
  const store::DayRange days{period.first_day, period.last_day() + 1};
  const auto read = [&](const SeriesPage& page) -> Result<void> {
    const auto keys = keys_of(page);
    auto windows = read_windows(
        store.chunks(), customer, keys, period, [&](std::size_t at, const std::string& why) {
          ++damaged;
          say(fmt::format("customer {}, {}: its {} roll-ups from day {} on: {}", customer.text(),
                          to_string(page[at].labels), to_string(period.resolution),
                          period.first_day, why));
        });
    if (!windows) return tl::unexpected<Error>(windows.error());
    return windows->empty() ? Result<void>() : visit(page, *std::move(windows));
  };
  if (auto visited = each_page(store.catalog(), customer, days, read); !visited) {
    return forward(visited);
  }
  return damaged;
}

std::string bytes_of(const rolling::Window& window, Resolution resolution) {
  return rollup::write_windows({&window, 1}, rollup::width_ms(resolution));
}

}  // namespace vigia::storage::keep
