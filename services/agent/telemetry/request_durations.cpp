#include "services/agent/telemetry/request_durations.hpp"

#include <protozero/pbf_writer.hpp>
#include <xxhash.h>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::agent::telemetry {

namespace {

/// A series that began within this of its first report is taken whole: its application has just
/// started. An older one has been reporting before we looked.
constexpr std::uint64_t kFreshNs = 120'000'000'000;
/// The longest label value that a collector takes, by default.
constexpr std::size_t kNameBytesMax = 2048;
constexpr double kMillisecondsPerSecond = 1000;

}  // namespace

bool is_request_duration(std::string_view metric_name) {
  return metric_name == "http.server.request.duration" || metric_name == "http.server.duration";
}

class DurationVisitor final : public wire::otlp::Visitor {
 public:
  explicit DurationVisitor(RequestDurations& owner) : owner_(owner) {}

  void on_resource(const wire::otlp::ResourceView& resource) override {
    resource_ = XXH3_128bits(resource.bytes.data(), resource.bytes.size());
    service_ = {"", "unknown_service"};
    wire::otlp::for_each_attribute(
        {resource.bytes, wire::otlp::ResourceField::kAttributes.number},
        [&](const wire::otlp::KeyValueView& pair) {
          const auto text = wire::otlp::string_value(pair.value).substr(0, kNameBytesMax);
          if (pair.key == "service.namespace") service_.first = text;
          if (pair.key == "service.name" && !text.empty()) service_.second = text;
        });
  }

  void on_metric(const wire::otlp::MetricView& metric) override { metric_ = metric; }

  void on_item(std::uint32_t /*item*/, std::string_view bytes) override {
    if (!is_request_duration(metric_.name)) return;
    if (metric_.type == wire::otlp::MetricKind::kHistogram) {
      const auto& point = points_.histogram(bytes);
      add(point, point.count, point.sum, point.has_sum);
    } else if (metric_.type == wire::otlp::MetricKind::kExponentialHistogram) {
      const auto& point = points_.exponential(bytes);
      add(point, point.count, point.sum, point.has_sum);
    }
  }

 private:
  void add(const wire::otlp::PointHeader& point, std::uint64_t count, double sum, bool has_sum) {
    if (!has_sum || point.is_stale() || !(sum >= 0)) return;
    RequestDurations::Total total{count, metric_.unit == "ms" ? sum / kMillisecondsPerSecond : sum};
    if (metric_.temporality == wire::otlp::Temporality::kCumulative) {
      total = owner_.since_last(key(point), {point.start_ns, total}, point.time_ns);
    }
    const bool is_known = owner_.pending_.contains(service_);
    if (!is_known && owner_.pending_.size() >= RequestDurations::kServicesMax) return;
    owner_.pending_[service_].count += total.count;
    owner_.pending_[service_].seconds += total.seconds;
  }

  SeriesKey key(const wire::otlp::PointHeader& point) const {
    std::string identity;
    protozero::pbf_writer writer(identity);
    writer.add_fixed64(1, resource_.low64);
    writer.add_fixed64(1, resource_.high64);
    writer.add_bytes(2, metric_.name.data(), metric_.name.size());
    writer.add_bytes(3, point.attributes.bytes.data(), point.attributes.bytes.size());
    const XXH128_hash_t hash = XXH3_128bits(identity.data(), identity.size());
    return {hash.low64, hash.high64};
  }

  RequestDurations& owner_;
  wire::otlp::PointReader points_;
  XXH128_hash_t resource_{};  // hashed once: it may be as long as all of its points
  wire::otlp::MetricView metric_;
  RequestDurations::ServiceKey service_;
};

void RequestDurations::observe(std::string_view body) {
  discard();
  DurationVisitor visitor(*this);
  // The body has been walked before: what is wrong with it was answered then.
  (void)wire::otlp::walk(Signal::kMetrics, body, visitor);
}

RequestDurations::Total RequestDurations::since_last(const SeriesKey& series, const Baseline& now,
                                                     std::uint64_t time_ns) {
  auto known = pending_baselines_.find(series);
  if (known == pending_baselines_.end()) {
    known = baselines_.find(series);
    if (known == baselines_.end()) {
      // Full: begin anew, which costs each series at most one report.
      if (baselines_.size() + pending_baselines_.size() >= kSeriesMax) baselines_.clear();
      pending_baselines_[series] = now;
      return time_ns - now.start_ns <= kFreshNs ? now.total : Total{};
    }
  }
  const Baseline last = known->second;
  pending_baselines_[series] = now;
  // A new start time or a fall says that the application has restarted: all of it is new.
  const bool is_same_run = last.start_ns == now.start_ns && now.total.count >= last.total.count &&
                           now.total.seconds >= last.total.seconds;
  if (!is_same_run) return now.total;
  return {now.total.count - last.total.count, now.total.seconds - last.total.seconds};
}

void RequestDurations::commit() {
  for (const auto& [series, baseline] : pending_baselines_) baselines_[series] = baseline;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [service, total] : pending_) {
      if (!totals_.contains(service) && totals_.size() >= kServicesMax) continue;
      totals_[service].count += total.count;
      totals_[service].seconds += total.seconds;
    }
  }
  discard();
}

void RequestDurations::discard() {
  pending_.clear();
  pending_baselines_.clear();
}

std::vector<ServiceDuration> RequestDurations::take() {
  std::map<ServiceKey, Total> totals;
  {
    const std::lock_guard lock(mutex_);
    totals.swap(totals_);
  }
  std::vector<ServiceDuration> durations;
  for (const auto& [service, total] : totals) {
    if (total.count == 0) continue;
    durations.push_back(
        {service.first, service.second, total.seconds / static_cast<double>(total.count)});
  }
  return durations;
}

}  // namespace vigia::agent::telemetry
