// What a scrape sees of tail sampling.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/metrics.hpp"
#include "services/collector/tail_sampling/traces.hpp"

namespace vigia::collector::tail_sampling {

/// vigia_tail_sampling_*, and the stock name of the traces in memory. Thread contract: any thread.
class SamplerMetrics {
 public:
  explicit SamplerMetrics(service::MetricRegistry& registry);
  /// `oldest`: how long the oldest undecided trace has waited; `bytes`: of the waiting log.
  void show(std::map<std::string, TraceCounts> counts, Duration oldest, std::uint64_t bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the registry's collect function
};

}  // namespace vigia::collector::tail_sampling
