// Several rows of one series as one list.
#pragma once

#include <vector>

#include "libs/chunk/histogram_record.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::store {

struct MergedRows {
  std::vector<Sample> samples;                     ///< by time, one a time
  std::vector<chunk::HistogramSample> histograms;  ///< by time, one a time
};

/// What a row of histograms holds, whatever its encoding, as messages. kCorrupt where its data is
/// damaged, or is something else.
Result<std::vector<chunk::HistogramSample>> histograms_of(const ChunkRow& row);

/// Rows of one resolution. Of several values at one time that of the version which stays there
/// (staying_of); of rows of one version, that of the first. kCorrupt where a row's data is damaged.
/// A histogram that another row's stands before says nothing of resets: its chunk did not know.
Result<MergedRows> merge_rows(const std::vector<ChunkRow>& rows,
                              Resolution resolution = Resolution::kRaw);

/// Takes out the rows whose data is damaged; how many. For reading: one bad row is one row.
std::size_t erase_unreadable(std::vector<ChunkRow>& rows);

}  // namespace vigia::storage::store
