// In which partitions chunks of a metric lie.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "libs/model/resolution.hpp"
#include "services/storage/store/cassandra/expiry_looks.hpp"
#include "services/storage/store/cassandra/keep_times.hpp"
#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::store::cassandra {

/// How many days a partition has, by resolution.
constexpr std::uint32_t period_days(Resolution resolution) {
  constexpr std::array<std::uint32_t, kResolutions> kDays{1, 1, 30, 365};
  return kDays[index_of(resolution)];
}
constexpr std::uint32_t period_of(Resolution resolution, std::uint32_t day) {
  return day / period_days(resolution);
}

/// The metric of a customer at a resolution: what partitions have in common.
struct MetricPlace {
  const CustomerId& customer;
  std::string metric;  ///< key_text
  Resolution resolution = Resolution::kRaw;
};

/// A day on which a partition has first samples.
struct PlacedDay {
  std::uint32_t day = 0;
  Shard shard;
  std::string keep;  ///< name of the class
  auto operator<=>(const PlacedDay&) const = default;
};

/// Remembers what it has seen, of bounded memory; forgetting costs a question. Thread contract: any
/// thread once prepared.
class ChunkPlaces {
 public:
  /// Must outlive it.
  explicit ChunkPlaces(vigia::cassandra::Session& session) : session_(session) {}
  Result<void> prepare(Preparation& preparation);

  /// Those of the days, from the first day on.
  Result<std::vector<PlacedDay>> list(const MetricPlace& place, const DayRange& days);
  /// Over how many parts what is written now of that day's period lies; `bytes` more are written.
  Result<std::int32_t> parts_for(const MetricPlace& place, std::uint32_t day, std::size_t bytes);
  /// Durable when it returns: then blocks may be written there, and readers find them.
  Result<void> note(const MetricPlace& place, const std::set<PlacedDay>& days);
  /// Forgets, of those customers who are due, the days before theirs; how many different ones there
  /// were.
  Result<std::size_t> forget_before(Resolution resolution, const CutDays& cuts,
                                    const ExpiryLooks& looks);

 private:
  struct Period {
    std::int32_t parts = 1;
    std::size_t bytes = 0;  // by this instance, since the parts are so many
    std::set<PlacedDay> noted;
  };
  using PeriodKey = std::tuple<std::string, std::string, Resolution, std::uint32_t>;
  static PeriodKey key_of(const MetricPlace& place, std::uint32_t day);
  std::optional<std::int32_t> count_in(const PeriodKey& key, std::size_t bytes);
  Result<Period> load(const MetricPlace& place, std::uint32_t period);
  struct Named {
    std::string customer;
    std::string metric;
    std::int8_t resolution = 0;
  };
  Result<void> forget_days(const Named& place, std::uint32_t day, std::set<std::uint32_t>& gone);

  vigia::cassandra::Session& session_;
  Statement list_;
  Statement write_;
  Statement list_metrics_;
  Statement delete_;
  Statement delete_parts_;
  std::mutex mutex_;
  std::map<PeriodKey, Period> periods_;
};

}  // namespace vigia::storage::store::cassandra
