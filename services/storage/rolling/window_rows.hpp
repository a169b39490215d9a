// Windows as they lie in a store: rows of a period of a series, one a resolution.
#pragma once

#include <vector>

#include "libs/rollup/window.hpp"
#include "libs/rollup/window_record.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::rolling {

using rollup::Window;

/// Days of a row: 5 min one, 1 h eight, 1 d 384. REQUIRES: not raw.
constexpr std::uint32_t period_days(Resolution resolution) {
  return static_cast<std::uint32_t>(store::row_span_max_ms(resolution) / store::kDayMs);
}
/// The first day of the period that the day lies in.
constexpr std::uint32_t period_of(Resolution resolution, std::uint32_t day) {
  return day / period_days(resolution) * period_days(resolution);
}
/// The day that a window lies in: no window is of two.
constexpr std::uint32_t day_of_window(TimestampMs end_ms) { return store::window_day_of(end_ms); }

/// The row of a period: its key is the same whatever is in it, so that one that is made anew
/// replaces it. REQUIRES: the windows are of that period, one at least, in order.
store::ClosedChunk window_row(const store::SeriesKey& series, Resolution resolution,
                              const std::vector<Window>& windows);

/// Says of a day that native histograms lie in it, of which there are no windows.
store::ClosedChunk histogram_day_row(const store::SeriesKey& series, Resolution resolution,
                                     std::uint32_t day);

/// True for such a row.
inline bool is_histogram_day(const store::ChunkRow& row) {
  return row.encoding == store::Encoding::kHistograms;
}
/// Of a row of window_row. kCorrupt where it is damaged or none.
Result<std::vector<Window>> windows_of_row(const store::ChunkRow& row, Resolution resolution);

/// What `reader` reads of such a row, behind what is in `parts`; kCorrupt where the row is none or
/// what the part is made of is damaged.
Result<void> parts_of_row(const store::ChunkRow& row, rollup::PartReader& reader,
                          std::vector<rollup::PartOfWindow>& parts);

/// Whether `made` may stand in the place of `stored`: by all that both say it was made of the
/// samples that `stored` was made of, and maybe more. Samples of a time that has passed only grow
/// more, until they go or are damaged. One whose value is another now (a conflict that was settled
/// anew) counts as gone where it was an extreme.
bool holds_all_of(const Window& made, const Window& stored);

struct StoredWindows {
  std::vector<Window> windows;                ///< in order, one an end
  std::vector<std::uint32_t> histogram_days;  ///< in order
};

/// Of rows of one series and resolution, as a store gives them; of two windows with one end that of
/// the higher version. kCorrupt where a row is damaged.
Result<StoredWindows> windows_of_rows(const std::vector<store::ChunkRow>& rows,
                                      Resolution resolution);

}  // namespace vigia::storage::rolling
