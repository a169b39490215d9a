// The exemplars of a remote-write request, until their series have ids.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/ingest/exemplar_keeper.hpp"
#include "services/storage/ingest/ingest_batch.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::api {

/// Of one request; what a sender has beyond is refused.
inline constexpr std::size_t kRequestExemplarsMax = 10'000;

/// received = refused + expired + what is there to be kept.
struct ExemplarCounts {
  std::uint64_t received = 0;
  std::uint64_t refused = 0;  ///< their labels or times break the rules, or their series' do
  std::uint64_t expired = 0;  ///< older than their retention
};

/// The first and the last time that is taken; of samples of the series, where it has some, no
/// further than a day.
struct ExemplarTimes {
  TimestampMs kept_ms = 0;           ///< older ones would be forgotten at once
  TimestampMs taken_ms = 0;          ///< as late_max
  TimestampMs ahead_ms = INT64_MAX;  ///< of a series without samples
};

/// An exemplar helps to find what is behind a sample and is none of what was acknowledged by it: a
/// bad one is left out and counted, and costs neither its samples nor its request (as Prometheus
/// has it). Thread contract: one thread.
class ExemplarBatch {
 public:
  explicit ExemplarBatch(ExemplarTimes times) : times_(times) {}
  /// Of the series that follow.
  void set_kept(TimestampMs kept_ms) { times_.kept_ms = kept_ms; }

  /// Takes those of a series that stands at `at` of the batch of samples. The days of what was
  /// taken; kNoDays where nothing was.
  store::DayRange add(const CustomerId& customer, const wire::remote_write::SeriesView& series,
                      std::size_t at);
  /// Of a series that is refused as a whole.
  void refuse(const wire::remote_write::SeriesView& series);
  /// Once `series` have their ids.
  void resolve(const std::vector<ingest::SeriesBatch>& series);
  /// Once.
  std::vector<ingest::OwnedExemplars> take() { return std::move(owned_); }
  const ExemplarCounts& counts() const { return counts_; }

 private:
  std::size_t owned_by(const CustomerId& customer);

  ExemplarTimes times_;
  std::vector<ingest::OwnedExemplars> owned_;  // a request is of one customer, mostly
  std::vector<std::vector<std::size_t>> at_;   // of each of them: where its series stands
  std::size_t taken_ = 0;
  ExemplarCounts counts_;
};

}  // namespace vigia::storage::api
