// Native histograms on their way into the store: Prometheus' chunks.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/chunk/histogram_record.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::heads {

/// The rows of a sorted list, cut where a chunk of Prometheus' ends, or a row's span or size. What
/// is no sound histogram (an earlier version took it, or the log was damaged) lies in rows of
/// messages, as it came. The same list gives the same rows.
std::vector<store::ChunkRow> histogram_rows(store::SeriesId series,
                                            const std::vector<chunk::HistogramSample>& samples,
                                            std::uint64_t version);

}  // namespace vigia::storage::heads
