// Walks a metrics body and finds each point's entry in the series cache: what intake and
// translation have in common.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/prometheus/series_builder.hpp"
#include "libs/wire/prometheus/series_shard.hpp"

namespace vigia::wire::prometheus {

/// One point with what is known of its series. Views live as long as the call.
struct ResolvedPoint {
  std::uint32_t item = 0;
  otlp::MetricType type = otlp::MetricType::kNone;
  const otlp::PointHeader* point = nullptr;  ///< NumberPoint, HistogramPoint, … by type
  std::string_view bytes;
  RejectReason fault = RejectReason::kNone;
  const PointEntry* entry = nullptr;  ///< where fault is kNone
};

/// Thread contract: one thread, one body. Holds the lock of one cache shard from a resource to the
/// next: the hooks must not touch the cache.
class SeriesResolver : public otlp::Visitor {
 public:
  SeriesResolver(const CustomerId& customer, const TranslatorSettings& settings,
                 SeriesCache& cache);
  ~SeriesResolver() override;

  /// Walks the body; see otlp::walk. Returns the number of points.
  Result<std::uint32_t> run(std::string_view body);

  void on_resource(const otlp::ResourceView& resource) final;
  void on_scope(const otlp::ScopeView& scope) final;
  void on_metric(const otlp::MetricView& metric) final;
  void on_item(std::uint32_t item, std::string_view bytes) final;

 protected:
  /// False skips a point before anything is known of it.
  virtual bool wants(std::uint32_t /*item*/) { return true; }
  /// Whether series that are new may be made; false gives the point kOverLimit.
  virtual bool admits_new_series() { return true; }
  virtual void on_point(const ResolvedPoint& point) = 0;
  /// Every point of the resource has been given.
  virtual void on_resource_end(const ResourceEntry& /*resource*/) {}

  const otlp::MetricView& metric() const { return metric_; }
  /// Of the metric under way; made when first asked for.
  const MetricIdentity& identity();
  const ResourceEntry& resource() const { return *resource_; }

 private:
  /// A number point whose key is known and whose entry is on its way into the processor's cache.
  struct Waiting {
    std::uint32_t item = 0;
    std::string_view bytes;
    otlp::NumberPoint point;
    SeriesKey key;
  };
  static constexpr std::size_t kWaitingMax = 16;

  void leave_resource();
  void put_to_wait(std::uint32_t item, std::string_view bytes, const otlp::NumberPoint& point);
  /// Gives the points that wait, in their order.
  void settle();
  void give(std::uint32_t item, std::string_view bytes, const otlp::PointHeader& point,
            const SeriesKey& key);
  SeriesKey point_key(const otlp::PointHeader& point);
  /// Finds or makes the entry; sets fault where there is none to have.
  const PointEntry* resolve(const SeriesKey& key, const otlp::PointHeader& point,
                            RejectReason& fault);
  const PointEntry* make(const SeriesKey& key, const otlp::PointHeader& point, RejectReason& fault);

  CustomerId customer_;
  const TranslatorSettings& settings_;
  SeriesCache& cache_;
  SeriesKey customer_key_;
  std::uint32_t now_s_;

  SeriesCache::Shard* shard_ = nullptr;
  std::unique_lock<std::mutex> lock_;
  ResourceEntry* resource_ = nullptr;
  otlp::ScopeView scope_;
  SeriesKey scope_key_;
  otlp::MetricView metric_;
  SeriesKey metric_key_;
  MetricIdentity identity_;
  bool has_identity_ = false;
  otlp::PointReader points_;
  std::array<Waiting, kWaitingMax> waiting_;
  std::size_t waiting_count_ = 0;
  std::string room_;  // bytes to hash
};

}  // namespace vigia::wire::prometheus
