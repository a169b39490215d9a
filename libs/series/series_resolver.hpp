// Walks a metrics body and finds each point's entry in the series cache: what intake and
// translation have in common.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/series/series_shard.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/prometheus/series_builder.hpp"

namespace vigia::series {

/// One point with what is known of its series. Views live as long as the call.
struct ResolvedPoint {
  std::uint32_t item = 0;
  /// Of `point`: the metric's, but of an exponential histogram that becomes a classic one.
  wire::otlp::MetricKind type = wire::otlp::MetricKind::kNone;
  const wire::otlp::PointHeader* point = nullptr;  ///< NumberPoint, HistogramPoint, … by type
  std::string_view bytes;
  RejectReason fault = RejectReason::kNone;
  std::string_view why = {};          ///< more than the fault says, or ""
  const PointEntry* entry = nullptr;  ///< where fault is kNone
  std::uint32_t series = 0;           ///< that it becomes
  std::size_t label_bytes = 0;        ///< of all its series together, the resource's included
  bool is_verbatim = false;           ///< of a Prometheus' series (wire/prometheus/verbatim.hpp)
  std::uint32_t buckets = 0;          ///< of a verbatim histogram, its spans and bounds too
  bool is_delta = false;  ///< it counts since the last report (SeriesResolver::takes_deltas)
};

/// Thread contract: one thread, one body. Holds the lock of one cache shard while it is inside a
/// resource, and hands it to whoever waits every kWorkPerTurn: the hooks must not touch the cache.
/// A resource is entered with its first point that is wanted: one without costs no hash and no
/// lock.
class SeriesResolver : public wire::otlp::Visitor {
 public:
  SeriesResolver(const CustomerId& customer, const wire::prometheus::TranslatorSettings& settings,
                 SeriesCache& cache);
  ~SeriesResolver() override;

  /// Walks the body; see wire::otlp::walk. Returns the number of points.
  Result<std::uint32_t> run(std::string_view body, const wire::otlp::WalkLimits& limits = {});

  void on_resource(const wire::otlp::ResourceView& resource) final;
  void on_scope(const wire::otlp::ScopeView& scope) final;
  void on_metric(const wire::otlp::MetricView& metric) final;
  void on_item(std::uint32_t item, std::string_view bytes) final;

 protected:
  /// False skips a point before anything is known of it.
  virtual bool wants(std::uint32_t /*item*/) { return true; }
  /// Whether a point that is new may have its series, of that weight (ActiveSeries::weight); false
  /// gives it kOverLimit. Asked before they are made, of the least that they can weigh, and after.
  virtual bool admits_new_series(const SeriesKey& /*point*/, std::uint32_t /*weight*/) {
    return true;
  }
  /// What a resource that is entered has against it, beside its labels' own fault. `why` then says
  /// more of it.
  virtual RejectReason admit_resource(const ResourceEntry& /*resource*/, std::string& /*why*/) {
    return RejectReason::kNone;
  }
  /// Resources of more bytes are not read: kResourceBytes, and admit_resource tells why.
  virtual std::size_t resource_bytes_max() const { return SIZE_MAX; }
  /// Scopes of more bytes are not read: kResourceBytes.
  virtual std::size_t scope_bytes_max() const { return SIZE_MAX; }
  /// What a point has against it before labels are made of it and its scope's are copied: they may
  /// become many times their bytes. Asked where its series is new; `series` and `label_bytes` are
  /// then the least that it becomes. `why` then says more of it.
  virtual RejectReason admit_point(const ResolvedPoint& /*point*/, std::string& /*why*/) {
    return RejectReason::kNone;
  }
  /// Whether series may stand as a Prometheus wrote them (wire/prometheus/verbatim.hpp); false:
  /// kReserved. It is our own form: what has it in the log came through a door that made it.
  virtual bool admits_verbatim() const { return true; }
  /// Whether deltas are given like points that are cumulative, with the series that they become:
  /// somebody adds them up before they are translated. Else they are kTemporality.
  virtual bool takes_deltas() const { return false; }
  /// What a new series must keep; one that is known goes on.
  virtual wire::prometheus::LabelLimits label_limits() const { return {}; }
  virtual void on_point(const ResolvedPoint& point) = 0;
  /// Every point of the resource has been given.
  virtual void on_resource_end(const ResourceEntry& /*resource*/) {}

  const wire::otlp::MetricView& metric() const { return metric_; }
  /// Of the metric under way: 1 is the body's first.
  std::uint64_t metric_number() const { return metric_number_; }
  /// Of the metric under way; made when first asked for.
  const wire::prometheus::MetricIdentity& identity();
  const ResourceEntry& resource() const { return *resource_; }
  std::uint32_t now_s() const { return now_s_; }
  const wire::otlp::ScopeView& scope() const { return scope_; }
  /// As it lies in the body.
  std::string_view resource_bytes() const { return resource_bytes_; }
  /// Whether the resource under way is of a Prometheus' series.
  bool is_verbatim() const { return is_verbatim_; }

 private:
  /// A number point whose key is known and whose entry is on its way into the processor's cache.
  struct Waiting {
    std::uint32_t item = 0;
    std::string_view bytes;
    wire::otlp::NumberPoint point;
    SeriesKey key;
  };
  static constexpr std::size_t kWaitingMax = 16;
  /// A sender's points come in the order in which they came first, and so do their entries lie:
  /// which one is next is a good guess, and costs one look in place of two that the processor's
  /// cache has not.
  struct Guess {
    static constexpr std::uint32_t kTrusted = 8;
    std::uint32_t next = kNoEntry;
    std::uint32_t right = 0;  ///< so many in a row, up to kTrusted
    bool is_trusted() const { return right >= kTrusted; }
    void learn(std::uint32_t found) {
      right = found != next ? 0 : std::min(right + 1, kTrusted);
      next = found + 1;
    }
  };
  /// Points, and KiB of labels that they have or that were read: some hundred microseconds.
  static constexpr std::size_t kWorkPerTurn = 512;
  /// What is not entered yet: all from there down to the point.
  enum class Step : std::uint8_t { kResource, kScope, kMetric, kPoint };

  void enter();
  void enter_resource();
  void hash_scope();
  void hash_metric();
  void leave_resource();
  void count_collisions(std::uint32_t joined);
  void note_work(std::size_t bytes) {
    work_ += 1 + (bytes >> 10U);
    if (work_ >= kWorkPerTurn) offer_lock();
  }
  void offer_lock();
  void put_to_wait(std::uint32_t item, std::string_view bytes,
                   const wire::otlp::NumberPoint& point);
  /// Gives the points that wait, in their order.
  void settle();
  void give(std::uint32_t item, std::string_view bytes, const wire::otlp::PointHeader& point,
            const SeriesKey& key);
  /// Of one in which item, type, bytes, point, and the fault where there is one, are set.
  void give(ResolvedPoint& resolved, const SeriesKey& key);
  void give_as_classic(std::uint32_t item, std::string_view bytes,
                       const wire::otlp::PointHeader& point);
  void give_refused(ResolvedPoint& resolved);
  RejectReason point_fault(ResolvedPoint& resolved);
  SeriesKey point_key(wire::otlp::MetricKind type, const wire::otlp::PointHeader& point);
  /// Finds or makes the entry; sets fault where there is none to have.
  std::uint32_t find(const SeriesKey& key);
  const PointEntry* resolve(const SeriesKey& key, ResolvedPoint& point, RejectReason& fault);
  const PointEntry* make(const SeriesKey& key, ResolvedPoint& point, RejectReason& fault);
  wire::prometheus::PointSeries build(ResolvedPoint& point);
  const wire::prometheus::ScopeLabels& scope_labels(const wire::prometheus::SeriesContext& context);

  CustomerId customer_;
  const wire::prometheus::TranslatorSettings& settings_;
  SeriesCache& cache_;
  SeriesKey customer_key_;
  std::uint32_t now_s_;

  SeriesCache::Shard* shard_ = nullptr;
  std::unique_lock<TurnMutex> lock_;
  std::size_t work_ = 0;  // since the lock was taken
  Step step_ = Step::kResource;
  std::string_view resource_bytes_;
  bool is_verbatim_ = false;
  ResourceEntry* resource_ = nullptr;
  RejectReason resource_fault_ = RejectReason::kNone;
  std::string resource_why_;
  std::string why_;  // of the point under way
  wire::otlp::ScopeView scope_;
  SeriesKey scope_key_;
  std::optional<wire::prometheus::ScopeLabels> scope_labels_;  // once a point of it is new
  wire::otlp::MetricView metric_;
  std::uint64_t metric_number_ = 0;
  SeriesKey metric_key_;
  wire::prometheus::MetricIdentity identity_;
  std::string identity_why_;  // of its fault, where it is verbatim
  bool has_identity_ = false;
  bool is_delta_ = false;
  wire::otlp::PointReader points_;
  wire::otlp::HistogramPoint classic_;
  std::array<Waiting, kWaitingMax> waiting_;
  std::size_t waiting_count_ = 0;
  Guess guess_;
  std::string room_;  // bytes to hash
};

}  // namespace vigia::series
