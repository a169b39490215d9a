#include "services/collector/intake/metrics_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/series/series_resolver.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "libs/wire/prometheus/verbatim.hpp"
#include "services/collector/intake/limits.hpp"

namespace vigia::collector::intake {
namespace {

namespace otlp = wire::otlp;
namespace prometheus = wire::prometheus;

constexpr std::string_view kNodeLabel = "node_id";

constexpr std::size_t kBucketsOfAValue = 16;

/// What a store works on for it: sixteen buckets take it as long as a sample.
std::uint64_t values_of(const otlp::ExponentialPoint& point) {
  const std::size_t buckets = point.positive.counts.size() + point.negative.counts.size();
  return std::max<std::uint64_t>(1, buckets / kBucketsOfAValue);
}

class MetricsJudge final : public series::SeriesResolver {
 public:
  MetricsJudge(const CustomerId& customer, const MetricsCheckSettings& settings,
               series::SeriesCache& cache)
      : SeriesResolver(customer, settings.translation, cache),
        customer_(customer),
        active_(cache.active_series(customer)),
        active_max_(settings.limits.active_series),
        hot_shards_(settings.hot_shards),
        is_remote_write_(settings.is_remote_write),
        takes_deltas_(settings.takes_deltas),
        why_no_deltas_(settings.why_no_deltas),
        labels_{settings.limits.label_value_bytes, settings.limits.labels_per_series},
        latest_ns_(static_cast<std::uint64_t>(settings.now_ms + kFutureMax_ms) * 1'000'000) {
    active_.set_limited(active_max_ > 0);
  }

  void on_empty() override { ++checked_.empty_envelopes; }
  void on_unknown(std::size_t bytes) override { checked_.unknown_bytes += bytes; }
  Checked take() { return std::move(checked_); }

 private:
  bool admits_new_series(const series::SeriesKey& point, std::uint32_t weight) override {
    const auto has_room = [&] {
      return active_max_ == 0 || active_.count() + weight <= static_cast<std::int64_t>(active_max_);
    };
    // To ask for one that was put out forgets those whose time is over.
    return has_room() || active_.was_put_out(point, now_s()) || has_room();
  }
  prometheus::LabelLimits label_limits() const override { return labels_; }

  bool admits_verbatim() const override { return is_remote_write_; }
  bool takes_deltas() const override { return takes_deltas_; }

  std::size_t resource_bytes_max() const override { return kResourceBytesMax; }
  std::size_t scope_bytes_max() const override { return kEnclosingBytesMax; }

  RejectReason admit_point(const series::ResolvedPoint& resolved, std::string& why) override {
    if (!checked_.has_room_for(resolved.label_bytes, kExpandedPointBytesMax)) {
      why = expanded_text(resolved.item, kExpandedPointBytesMax);
      return RejectReason::kExpandedBytes;
    }
    if (resolved.bytes.size() > kItemBytesMax) {
      why = item_size_text(Signal::kMetrics, resolved.bytes.size());
      return RejectReason::kExpandedBytes;
    }
    std::size_t attributes = 0;
    otlp::for_each_attribute(resolved.point->attributes,
                             [&](const otlp::KeyValueView& /*each*/) { ++attributes; });
    if (attributes <= kPointAttributesMax) return RejectReason::kNone;
    why = fmt::format("{} attributes, {} may be", attributes, kPointAttributesMax);
    return RejectReason::kLabelsPerSeries;
  }

  RejectReason admit_resource(const series::ResourceEntry& resource, std::string& why) override {
    if (!hot_shards_.empty()) note_shard(resource.labels.shared.get(kNodeLabel));
    if (resource_bytes().size() > kResourceBytesMax) {
      why = fmt::format("a resource of {} bytes, {} may be", resource_bytes().size(),
                        kResourceBytesMax);
      return RejectReason::kResourceBytes;
    }
    return prometheus::label_fault(resource.labels.shared.labels, labels_, why);
  }

  void on_point(const series::ResolvedPoint& resolved) override {
    if (resolved.fault != RejectReason::kNone || resolved.point->time_ns > latest_ns_ ||
        resolved.bytes.size() > kItemBytesMax) [[unlikely]] {
      refuse(resolved);
      return;
    }
    checked_.deltas += resolved.is_delta ? 1 : 0;
    checked_.newest_ns = std::max(checked_.newest_ns, resolved.point->time_ns);
    if (resolved.is_verbatim) {
      take_verbatim(resolved);
      return;
    }
    checked_.values += resolved.type == otlp::MetricKind::kExponentialHistogram
                           ? values_of(static_cast<const otlp::ExponentialPoint&>(*resolved.point))
                           : resolved.series;
    checked_.expand(resolved.item, resolved.label_bytes + resolved.bytes.size(),
                    kExpandedPointBytesMax);
  }

  void take_verbatim(const series::ResolvedPoint& resolved) {
    checked_.values += std::max<std::size_t>(1, resolved.buckets / kBucketsOfAValue);
    checked_.expand(resolved.item, resolved.label_bytes + resolved.bytes.size(),
                    kExpandedPointBytesMax);
    if (checked_.verdicts.is_rejected(resolved.item)) return;
    if (resolved.type == otlp::MetricKind::kExponentialHistogram) {
      ++checked_.written.histograms;
      return;
    }
    const auto& number = static_cast<const otlp::NumberPoint&>(*resolved.point);
    if (number.has_value || number.is_stale())
      ++checked_.written.samples;
    else
      checked_.written.exemplars += prometheus::count_exemplars(resolved.bytes);
  }

  /// Of a resource without a node each point may name another: it lies wherever one could be
  /// looked for.
  void note_shard(std::string_view node_id) {
    checked_.shards |= node_id.empty() ? ~0U : 1U << tenancy::shard_of_node(hot_shards_, node_id);
  }

  /// Apart from on_point, which every point goes through and none should pay this one's frame for.
  [[gnu::noinline, gnu::cold]] void refuse(const series::ResolvedPoint& resolved) {
    if (resolved.fault == RejectReason::kNoCustomer &&
        checked_.verdicts.rejected_for(resolved.fault) == 0) {
      checked_.reject(resolved.item, resolved.fault, no_customer_text(customer_));
    } else if (resolved.fault == RejectReason::kTemporality) {
      checked_.reject(resolved.item, resolved.fault, why_no_deltas_);
    } else if (resolved.fault != RejectReason::kNone) {
      checked_.reject(resolved.item, resolved.fault, resolved.why);
    } else if (resolved.point->time_ns > latest_ns_) {
      checked_.reject(resolved.item, RejectReason::kFuture);
    } else {
      checked_.reject(resolved.item, RejectReason::kExpandedBytes,
                      item_size_text(Signal::kMetrics, resolved.bytes.size()));
    }
  }

  const CustomerId& customer_;
  series::ActiveSeries& active_;
  std::uint64_t active_max_;
  const std::vector<std::string>& hot_shards_;
  const bool is_remote_write_;
  const bool takes_deltas_;
  const std::string_view why_no_deltas_;
  prometheus::LabelLimits labels_;
  std::uint64_t latest_ns_;
  Checked checked_;
};

}  // namespace

Result<Checked> check_metrics(const CustomerId& customer, std::string_view body,
                              const MetricsCheckSettings& settings, series::SeriesCache& cache) {
  MetricsJudge judge(customer, settings, cache);
  auto items = judge.run(body, {.items = kRequestPointsMax,
                                .empty_envelopes = kRequestEmptyEnvelopesMax,
                                .unknown_bytes = kRequestUnknownBytesMax});
  if (!items) return forward(items);
  Checked checked = judge.take();
  checked.verdicts.set_items(*items);
  checked.warn_of_unknown(Signal::kMetrics);
  return checked;
}

}  // namespace vigia::collector::intake
