// The average duration of HTTP requests, by service: the seed's `http_request_duration_seconds`.
// Made here because here passes every report of the node's applications, delta or cumulative, so
// that the average is of exactly the requests since the last sample.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "services/agent/telemetry/series_key.hpp"

namespace vigia::agent::telemetry {

struct ServiceDuration {
  std::string service_namespace;  ///< may be ""
  std::string service_name;
  double average_seconds = 0;
};

/// True for the histogram of an HTTP server's request durations, in its present or its old name.
bool is_request_duration(std::string_view metric_name);

/// Reads the histograms that is_request_duration names. Thread contract: observe,
/// commit and discard from one thread; take from any.
class RequestDurations {
 public:
  /// Reads a request as the application sent it. Counts from `commit`, or is forgotten by
  /// `discard`. Throws protozero::exception on damaged points.
  void observe(std::string_view body);
  void commit();
  void discard();

  /// The averages since the last call, of services that answered requests since then.
  std::vector<ServiceDuration> take();

  static constexpr std::size_t kServicesMax = 500;
  static constexpr std::size_t kSeriesMax = 20'000;

 private:
  friend class DurationVisitor;
  using ServiceKey = std::pair<std::string, std::string>;
  struct Total {
    std::uint64_t count = 0;
    double seconds = 0;
  };
  struct Baseline {  // of a cumulative series
    std::uint64_t start_ns = 0;
    Total total;
  };
  /// What a cumulative series has counted since it was last seen; the first sight of one that began
  /// long ago only sets the mark.
  Total since_last(const SeriesKey& series, const Baseline& now, std::uint64_t time_ns);

  std::unordered_map<SeriesKey, Baseline, SeriesKeyHash> baselines_;
  std::unordered_map<SeriesKey, Baseline, SeriesKeyHash> pending_baselines_;
  std::map<ServiceKey, Total> pending_;
  std::mutex mutex_;
  std::map<ServiceKey, Total> totals_;  // guarded by mutex_
};

}  // namespace vigia::agent::telemetry
