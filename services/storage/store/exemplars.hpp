// Exemplars: single observations behind a series' samples, each naming, say, its trace. The
// contract of every store that keeps them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/store/expiry_cuts.hpp"
#include "services/storage/store/series.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

/// Of all names and values of one exemplar's labels together, in UTF-8 characters (OpenMetrics 1.0,
/// "Exemplars"; Prometheus refuses more, too).
inline constexpr std::size_t kExemplarCharactersMax = 128;

struct NewExemplar {
  SeriesId series;
  Sample sample;            ///< what was observed, and when
  std::string label_bytes;  ///< its own labels, by encode_labels (label_bytes.hpp)
};

/// Valid for the call it comes with.
struct StoredExemplar {
  Sample sample;
  std::string_view label_bytes;
};

/// Both included.
struct ExemplarRange {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = INT64_MAX;
};

/// Thread contract: any thread. Errors: kUnavailable where the store refuses for now, kCorrupt.
class ExemplarStore {
 public:
  virtual ~ExemplarStore() = default;
  /// After an error some of them may be there. What is there already, the same of series, time,
  /// value and labels, is there once; several of one series and time are all kept.
  virtual Result<void> put(const CustomerId& customer, std::span<const NewExemplar> exemplars) = 0;
  /// Makes every put before the call durable.
  virtual Result<void> sync() = 0;

  /// Which of the series, sorted, have any between the two times: cheap for those that have none.
  /// The limit's error once it is over.
  virtual Result<std::vector<SeriesId>> having(const CustomerId& customer,
                                               std::span<const SeriesId> series,
                                               const ExemplarRange& range,
                                               const WorkLimit& limit) = 0;

  /// False: no more are wanted.
  using Visit = std::function<bool(const StoredExemplar&)>;
  /// Gives `visit` those of a series by time; what cannot be read is left out and counted. The
  /// limit's error once it is over.
  virtual Result<void> read(const CustomerId& customer, SeriesId series, const ExemplarRange& range,
                            const Visit& visit, const WorkLimit& limit) = 0;

  /// As EventStore::expire.
  virtual Result<std::size_t> expire(const ExpiryCuts& cuts) = 0;
  virtual std::uint64_t disk_bytes() const = 0;
  /// That were left out of answers because they cannot be read.
  virtual std::uint64_t damaged() const = 0;
};

}  // namespace vigia::storage::store
