// Answers remote-read requests from heads and chunks.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage {

/// Bounds of one request (R-RR-5).
struct ReadLimits {
  std::size_t series_max = 100'000;
  std::size_t response_bytes_max = 512U << 20U;
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
             ReadLimits limits)
      : index_(index), reader_(reader), clock_(clock), limits_(limits) {}

  /// Series without a sample in the range are left out. Where a series has native histograms the
  /// answer is in samples whatever the client prefers: they are kept unpacked. kOverLimit past the
  /// limits, never silently less.
  Result<ReadAnswer> answer(const Fence& fence,
                            const wire::remote_read::ReadRequest& request) const;

 private:
  struct FoundQuery {
    wire::remote_read::Query query;
    std::vector<SelectedSeries> series;
  };
  Result<std::vector<FoundQuery>> find(const Fence& fence,
                                       const wire::remote_read::ReadRequest& request) const;
  Result<ReadAnswer> in_samples(const std::vector<FoundQuery>& queries, TimePoint deadline) const;
  Result<ReadAnswer> in_chunks(const std::vector<FoundQuery>& queries, TimePoint deadline,
                               bool& has_histograms) const;
  Result<void> check(std::size_t bytes, TimePoint deadline) const;

  const SeriesIndex& index_;
  const SeriesReader& reader_;
  const Clock& clock_;
  ReadLimits limits_;
};

}  // namespace vigia::storage
