// The last value of every series, for the pull exporter.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "libs/wire/prometheus/translator.hpp"

namespace vigia::collector {

/// Thread contract: take from one thread; expose and expire from any.
class LastValues final : public wire::prometheus::SeriesSink {
 public:
  /// Values received from now on are of this time.
  void set_received_ms(std::int64_t received_ms);
  void take(const wire::prometheus::SeriesPoint& point) override;
  bool wants_hashes() const override { return true; }
  /// Forgets series whose last value was received before that.
  void expire(std::int64_t before_ms);
  /// Prometheus text format 0.0.4, families sorted by name. Native histograms have no place in it.
  std::string expose() const;
  std::uint64_t series() const;
  /// Values that found no room.
  std::uint64_t over_limit() const;

  static constexpr std::size_t kSeriesMax = 200'000;  ///< at some 400 B each: 80 MB
  explicit LastValues(std::size_t series_max = kSeriesMax) : series_max_(series_max) {}

 private:
  struct Family {
    std::string name;
    std::string help;
    wire::prometheus::FamilyType type = wire::prometheus::FamilyType::kUnknown;
    std::uint64_t series = 0;
  };
  struct Value {
    Family* family = nullptr;  // in families_
    std::string label_bytes;
    double value = 0;
    std::int64_t received_ms = 0;
  };
  using Values = std::unordered_map<std::uint64_t, Value>;  // by series hash

  void add_series(const wire::prometheus::SeriesPoint& point);
  void forget(Family& family);

  const std::size_t series_max_;
  mutable std::mutex mutex_;
  std::int64_t received_ms_ = 0;
  std::map<std::string, Family, std::less<>> families_;
  Values values_;
  std::uint64_t over_limit_ = 0;
};

}  // namespace vigia::collector
