#include "services/collector/tail_sampling/sampler_metrics.hpp"

#include <mutex>
#include <string_view>
#include <utility>

namespace vigia::collector::tail_sampling {

using service::MetricLabels;
using service::MetricType;

struct SamplerMetrics::State {
  std::mutex mutex;
  std::map<std::string, TraceCounts> counts;
  double oldest_seconds = 0;
  std::uint64_t bytes = 0;

  void collect(const service::MetricRegistry::Emit& emit);
};

void SamplerMetrics::State::collect(const service::MetricRegistry::Emit& emit) {
  const std::lock_guard lock(mutex);
  const auto count = [&emit](std::string_view name, std::string_view help,
                             const MetricLabels& labels, std::uint64_t value) {
    emit(name, help, MetricType::kCounter, labels, static_cast<double>(value));
  };
  const auto gauge = [&emit](std::string_view name, std::string_view help,
                             const MetricLabels& labels, std::uint64_t value) {
    emit(name, help, MetricType::kGauge, labels, static_cast<double>(value));
  };
  std::uint64_t waiting = 0;
  for (const auto& [customer, of] : counts) {
    const MetricLabels labels{{"customer_id", customer}};
    count("vigia_tail_sampling_traces_total", "Traces decided",
          {{"customer_id", customer}, {"verdict", "kept"}}, of.kept);
    count("vigia_tail_sampling_traces_total", "Traces decided",
          {{"customer_id", customer}, {"verdict", "dropped"}}, of.dropped);
    count("vigia_tail_sampling_early_total",
          "Traces decided before decision_wait, since their customer had the most of num_traces",
          labels, of.early);
    count("vigia_tail_sampling_by_record_total",
          "Traces decided by one record of theirs alone, since their customer was over its share "
          "of the traces in memory",
          labels, of.by_record);
    count("vigia_tail_sampling_late_spans_total", "Spans that came after their trace's verdict",
          labels, of.late_spans);
    gauge("vigia_tail_sampling_waiting_traces", "Traces that are not decided yet", labels,
          of.waiting);
    gauge("vigia_tail_sampling_traces_in_memory", "Traces in memory, decided or not", labels,
          of.in_memory);
    waiting += of.waiting;
  }
  gauge("otelcol_processor_tail_sampling_sampling_traces_on_memory",
        "Traces that are not decided yet", {}, waiting);
  gauge("vigia_tail_sampling_log_bytes", "Bytes of the log of spans that wait", {}, bytes);
  emit("vigia_tail_sampling_oldest_seconds", "How long the oldest undecided trace has waited",
       MetricType::kGauge, {}, oldest_seconds);
}

SamplerMetrics::SamplerMetrics(service::MetricRegistry& registry)
    : state_(std::make_shared<State>()) {
  registry.on_collect(
      [state = state_](const service::MetricRegistry::Emit& emit) { state->collect(emit); });
}

void SamplerMetrics::show(std::map<std::string, TraceCounts> counts, Duration oldest,
                          std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->counts = std::move(counts);
  state_->bytes = bytes;
  state_->oldest_seconds = std::chrono::duration<double>(oldest).count();
}

}  // namespace vigia::collector::tail_sampling
