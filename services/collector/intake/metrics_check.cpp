#include "services/collector/intake/metrics_check.hpp"

#include "libs/wire/prometheus/series_resolver.hpp"
#include "services/collector/limits.hpp"

namespace vigia::collector {
namespace {

class Judge final : public wire::prometheus::SeriesResolver {
 public:
  Judge(const CustomerId& customer, const MetricsCheckSettings& settings,
        wire::prometheus::SeriesCache& cache)
      : SeriesResolver(customer, settings.translation, cache),
        active_(cache.active_series(customer)),
        active_max_(settings.active_series_max),
        latest_ns_(static_cast<std::uint64_t>(settings.now_ms + kFutureMax_ms) * 1'000'000) {}

  Verdicts take() { return std::move(verdicts_); }

 private:
  bool admits_new_series() override {
    return active_max_ == 0 ||
           active_.load(std::memory_order_relaxed) < static_cast<std::int64_t>(active_max_);
  }

  void on_point(const wire::prometheus::ResolvedPoint& resolved) override {
    if (resolved.fault != RejectReason::kNone) {
      verdicts_.reject(resolved.item, resolved.fault);
    } else if (resolved.point->time_ns > latest_ns_) {
      verdicts_.reject(resolved.item, RejectReason::kFuture);
    }
  }

  std::atomic<std::int64_t>& active_;
  std::uint64_t active_max_;
  std::uint64_t latest_ns_;
  Verdicts verdicts_;
};

}  // namespace

Result<Verdicts> check_metrics(const CustomerId& customer, std::string_view body,
                               const MetricsCheckSettings& settings,
                               wire::prometheus::SeriesCache& cache) {
  Judge judge(customer, settings, cache);
  auto items = judge.run(body);
  if (!items) return forward(items);
  Verdicts verdicts = judge.take();
  verdicts.set_items(*items);
  return verdicts;
}

}  // namespace vigia::collector
