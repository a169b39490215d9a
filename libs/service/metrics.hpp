// A process' own metrics, in Prometheus' text format and OpenMetrics.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::service {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;
enum class MetricType { kCounter, kGauge, kHistogram };

/// Only grows. Any thread, no lock.
class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Cumulative buckets at the bounds given at creation; the +Inf bucket is added.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  const std::vector<double>& bounds() const { return bounds_; }
  std::vector<std::uint64_t> counts() const;  ///< one a bucket, not cumulative, +Inf last
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

/// Names and labels are ours, never a client's (S4), but for customer_id, node_id and exporter,
/// whose number is bounded by the directory and the configuration. References stay valid as long as
/// the registry. Any thread.
class MetricRegistry {
 public:
  /// The metric of that name and label set, made at its first mention. The name is written out as
  /// given: no `_total` is added, since the seed's names have none.
  Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       MetricLabels labels = {});

  /// Values read at the time of a scrape, for what other parts count themselves.
  using Emit = std::function<void(std::string_view name, std::string_view help, MetricType type,
                                  const MetricLabels& labels, double value)>;
  void on_collect(std::function<void(const Emit&)> collect);

  /// Prometheus text format 0.0.4, or OpenMetrics 1.0 ("# EOF" at its end). Families sorted by
  /// name.
  std::string expose(bool open_metrics) const;

  MetricRegistry();
  ~MetricRegistry();

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace vigia::service
