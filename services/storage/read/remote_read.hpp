// Answers remote-read requests from heads and chunks.
#pragma once

#include <atomic>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage {

/// Bounds of one request (R-RR-5).
struct ReadLimits {
  std::size_t series_max = 100'000;
  std::size_t response_bytes_max = 256U << 20U;
  Duration time_max = std::chrono::minutes(2);
};

struct ReadAnswer {
  bool is_chunks = false;  ///< a stream of frames; else one snappy block of samples
  std::string body;
  std::uint64_t series = 0;
};

/// Thread contract: any thread.
class RemoteRead {
 public:
  /// All must outlive it.
  RemoteRead(const SeriesIndex& index, const SeriesReader& reader, const Clock& clock,
             ReadLimits limits, CustomerShares& answers)
      : index_(index), reader_(reader), clock_(clock), limits_(limits), answers_(answers) {}

  /// Series without a sample in the range are left out. kOverLimit past the
  /// limits, never silently less; kUnavailable past `customer`'s share of all answers' memory.
  Result<ReadAnswer> answer(std::string_view customer, const Fence& fence,
                            const wire::remote_read::ReadRequest& request) const;

  /// Of answers: what was stored as a histogram and is none.
  std::uint64_t damaged_histograms() const { return damaged_histograms_; }

 private:
  struct FoundQuery {
    wire::remote_read::Query query;
    std::vector<SelectedSeries> series;
  };
  Result<std::vector<FoundQuery>> find(const Fence& fence,
                                       const wire::remote_read::ReadRequest& request) const;
  struct Bounds {  // of one request
    TimePoint deadline;
    HeldShare& memory;
    std::size_t found_bytes;  // of the series' labels
  };
  Result<ReadAnswer> in_samples(const std::vector<FoundQuery>& queries, const Bounds& bounds) const;
  Result<ReadAnswer> in_chunks(const std::vector<FoundQuery>& queries, const Bounds& bounds) const;
  Result<std::vector<WireChunk>> with_histograms(const SeriesData& data,
                                                 const wire::remote_read::Query& query) const;
  Result<void> check(std::size_t bytes, const Bounds& bounds) const;

  const SeriesIndex& index_;
  const SeriesReader& reader_;
  const Clock& clock_;
  ReadLimits limits_;
  CustomerShares& answers_;
  mutable std::atomic<std::uint64_t> damaged_histograms_{0};
};

}  // namespace vigia::storage
