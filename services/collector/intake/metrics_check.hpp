// A verdict for every data point of a request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/tenancy/directory.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/intake/checked.hpp"

namespace vigia::collector::intake {

struct MetricsCheckSettings {
  const wire::prometheus::TranslatorSettings& translation;
  std::int64_t now_ms = 0;                     ///< wall clock
  const tenancy::Limits& limits;               ///< of this customer
  const std::vector<std::string>& hot_shards;  ///< of this customer; empty: it has one
  bool is_remote_write = false;                ///< only then series may stand in a Prometheus' form
  bool takes_deltas = false;                   ///< somebody adds them up
  std::string_view why_no_deltas = {};         ///< what their sender is told where nobody does
};

/// Walks the body, finds each point's series in the cache and judges it.
/// kInvalid where the body is no ExportMetricsServiceRequest, kTooLarge where it holds more than
/// one may.
Result<Checked> check_metrics(const CustomerId& customer, std::string_view body,
                              const MetricsCheckSettings& settings, series::SeriesCache& cache);

}  // namespace vigia::collector::intake
