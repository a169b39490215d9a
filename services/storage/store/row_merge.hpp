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

/// Of several values at one time that of the lowest version stays. kCorrupt where a row's data is
/// damaged.
Result<MergedRows> merge_rows(const std::vector<ChunkRow>& rows);

}  // namespace vigia::storage::store
