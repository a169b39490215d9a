// What metrics are said to be: type, unit and help, by name. The contract of every store that keeps
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/store/expiry_cuts.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

inline constexpr std::size_t kMetricBytesMax = 1'024;
inline constexpr std::size_t kUnitBytesMax = 256;
inline constexpr std::size_t kHelpBytesMax = 4'096;
inline constexpr std::uint8_t kMetricTypeMax = 7;

struct MetricMetadata {
  std::string metric;     ///< the family's name: `latency` of `latency_bucket`
  std::uint8_t type = 0;  ///< as in remote write, up to kMetricTypeMax
  std::string unit;
  std::string help;
  std::uint32_t day = 0;  ///< since 1970, on which it was last noted that it is still said
};

/// One of each customer and metric: what was put last. Thread contract: any thread. Errors:
/// kUnavailable where the store refuses for now, kCorrupt.
class MetadataStore {
 public:
  virtual ~MetadataStore() = default;
  /// REQUIRES: each metric once, none of it longer than the limits above. After an error some of
  /// it may be there.
  virtual Result<void> put(const CustomerId& customer, std::span<const MetricMetadata> metrics) = 0;
  /// Makes every put before the call durable.
  virtual Result<void> sync() = 0;

  /// Valid for the call. False: no more is wanted.
  using Visit = std::function<bool(const MetricMetadata&)>;
  /// That of the metric, or, of "", all of the customer's, by name. What cannot be read is left out
  /// and counted. The limit's error once it is over.
  virtual Result<void> read(const CustomerId& customer, std::string_view metric, const Visit& visit,
                            const WorkLimit& limit) = 0;

  /// Forgets what was last noted on a day over at its customer's cut, but what is put meanwhile;
  /// how much. Cuts that keep all but one customer's read his rows alone, and wait for no others.
  virtual Result<std::size_t> expire(const ExpiryCuts& cuts) = 0;
  virtual std::uint64_t disk_bytes() const = 0;
  /// That was left out of answers because it cannot be read.
  virtual std::uint64_t damaged() const = 0;
};

}  // namespace vigia::storage::store
