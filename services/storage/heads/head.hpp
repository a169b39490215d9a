// The open end of one series: samples that are in the write-ahead log, not yet in the chunk store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "libs/chunk/histogram_record.hpp"
#include "libs/chunk/open_chunk.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/heads/epoch.hpp"
#include "services/storage/heads/stored_run.hpp"
#include "services/storage/store/chunks.hpp"

namespace vigia::storage::heads {

using chunk::HistogramSample;

/// What few series have: kept apart, so that it costs the others a pointer.
struct HeadExtras {
  std::vector<Sample> late;                      // sorted
  std::vector<HistogramSample> histograms;       // in order
  std::vector<HistogramSample> late_histograms;  // sorted
  std::size_t encoded_bytes = 0;                 // that both lists' histograms hold, about
  Epoch oldest_histogram = kNoEpoch;
  Epoch oldest_late = kNoEpoch;    // of both late lists
  std::unique_ptr<StoredRun> run;  // for repeats; null mostly

  /// All that hangs on it, and its own place. Costs the same however much that is.
  std::size_t memory_bytes() const;
};

/// Plain data; HeadSet keeps it right. Millions of these exist: mind every byte.
struct Head {
  chunk::OpenChunk chunk;  // its blocks are of the shard's pool
  std::unique_ptr<HeadExtras> extras;
  TimestampMs newest_ms = INT64_MIN;  // of the samples that came in order, closed ones included
  customers::CustomerNumber customer;
  Epoch oldest_in_chunk = kNoEpoch;
  Epoch last_append = kNoEpoch;
  bool awaits_store = false;  // what the store holds of the series is not known yet

  bool is_empty() const { return oldest() == kNoEpoch; }
  /// With the place in its table and all that hangs on it: late samples, histograms, a run.
  std::size_t memory_bytes() const;
  /// Of all that is not in the store yet; kNoEpoch where all of it is.
  Epoch oldest() const;
};

/// Chunks of a series end where this changes: every two hours, at a moment of the series' own
/// within half an hour, so that not all close at once.
std::int64_t window_of(store::SeriesId series, TimestampMs time_ms);
/// When the window ends.
TimestampMs window_end_ms(store::SeriesId series, std::int64_t window);
/// A chunk holds at most so many samples: 208 to 271, by the series' number.
std::size_t chunk_samples_max(store::SeriesId series);

/// What a histogram holds beside its place in a list, about.
std::size_t encoded_bytes(const HistogramSample& sample);
std::size_t encoded_bytes(const std::vector<HistogramSample>& samples);

/// Lists sorted by time: where `time_ms` stands or would stand.
std::vector<Sample>::const_iterator find_time(const std::vector<Sample>& samples,
                                              TimestampMs time_ms);
std::vector<HistogramSample>::const_iterator find_time(const std::vector<HistogramSample>& samples,
                                                       TimestampMs time_ms);

/// The rows of a sorted list, cut where a row's span or size ends.
std::vector<store::ChunkRow> pack_rows(store::SeriesId series, const std::vector<Sample>& samples,
                                       std::uint64_t version,
                                       Resolution resolution = Resolution::kRaw);
std::vector<store::ChunkRow> pack_rows(store::SeriesId series,
                                       const std::vector<HistogramSample>& samples,
                                       std::uint64_t version);

}  // namespace vigia::storage::heads
