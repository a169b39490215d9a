#include "services/storage/rolling/window_rows.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::storage::rolling {
namespace {

struct Versioned {
  std::uint64_t version;
  Window window;
};

// The higher version first, so that unique() keeps it.
bool comes_before(const Versioned& left, const Versioned& right) {
  if (left.window.end_ms != right.window.end_ms) return left.window.end_ms < right.window.end_ms;
  return left.version > right.version;
}

std::vector<Window> merged(std::vector<Versioned> all) {
  if (!std::is_sorted(all.begin(), all.end(), comes_before)) {
    std::stable_sort(all.begin(), all.end(), comes_before);
  }
  std::vector<Window> windows;
  windows.reserve(all.size());
  for (Versioned& one : all) {
    if (windows.empty() || windows.back().end_ms != one.window.end_ms) {
      windows.push_back(one.window);
    }
  }
  return windows;
}

Result<void> check_encoding(const store::ChunkRow& row) {
  if (row.encoding == store::Encoding::kWindows) return {};
  return fail(ErrorCode::kCorrupt, fmt::format("cold store: a roll-up of encoding {}",
                                               static_cast<unsigned>(row.encoding)));
}

}  // namespace

store::ClosedChunk window_row(const store::SeriesKey& series, Resolution resolution,
                              const std::vector<Window>& windows) {
  CHECK(!windows.empty());
  const std::uint32_t period = period_of(resolution, day_of_window(windows.front().end_ms));
  CHECK(period == period_of(resolution, day_of_window(windows.back().end_ms)));
  store::ChunkRow row;
  row.series = series.id;
  row.first_ms = TimestampMs{period} * store::kDayMs;
  row.last_ms = windows.back().end_ms - 1;
  row.version = store::kInOrder;
  row.encoding = store::Encoding::kWindows;
  row.data = rollup::write_windows(windows, rollup::width_ms(resolution));
  return {series.metric, std::move(row), resolution};
}

store::ClosedChunk histogram_day_row(const store::SeriesKey& series, Resolution resolution,
                                     std::uint32_t day) {
  store::ChunkRow row;
  row.series = series.id;
  row.first_ms = TimestampMs{day} * store::kDayMs;
  row.last_ms = row.first_ms + store::kDayMs - 1;
  row.version = store::kInOrder;
  row.encoding = store::Encoding::kHistograms;
  return {series.metric, std::move(row), resolution};
}

Result<std::vector<Window>> windows_of_row(const store::ChunkRow& row, Resolution resolution) {
  if (auto sound = check_encoding(row); !sound) return forward(sound);
  return rollup::read_windows(row.data, rollup::width_ms(resolution));
}

Result<void> parts_of_row(const store::ChunkRow& row, rollup::PartReader& reader,
                          std::vector<rollup::PartOfWindow>& parts) {
  if (auto sound = check_encoding(row); !sound) return sound;
  return reader.read(row.data, parts);
}

bool holds_all_of(const Window& made, const Window& stored) {
  if (stored.stale_ms.has_value()) {
    const bool is_followed = made.count > 0 && made.last_ms > *stored.stale_ms;
    if (!is_followed && made.stale_ms.value_or(INT64_MIN) < *stored.stale_ms) return false;
  }
  if (stored.count == 0) return true;
  if (made.count < stored.count) return false;
  if (made.first_ms > stored.first_ms || made.last_ms < stored.last_ms) return false;
  if (std::isnan(made.min) && !std::isnan(stored.min)) return false;
  return !(made.min > stored.min) && !(made.max < stored.max);
}

Result<StoredWindows> windows_of_rows(const std::vector<store::ChunkRow>& rows,
                                      Resolution resolution) {
  std::vector<Versioned> all;
  StoredWindows stored;
  for (const store::ChunkRow& row : rows) {
    if (is_histogram_day(row)) {
      stored.histogram_days.push_back(store::day_of(row.first_ms));
      continue;
    }
    const auto windows = windows_of_row(row, resolution);
    if (!windows) return forward(windows);
    for (const Window& window : *windows) all.push_back({row.version, window});
  }
  stored.windows = merged(std::move(all));
  return stored;
}

}  // namespace vigia::storage::rolling
