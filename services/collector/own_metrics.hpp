// What the collector tells of itself beside its books.
#pragma once

#include <cstdint>

#include "libs/disk_log/disk_log.hpp"
#include "libs/net/budget.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory_source.hpp"
#include "services/collector/memory_limiter/memory_limiter.hpp"

namespace vigia::collector {

struct OwnParts {
  const disk_log::DiskLog& log;
  std::uint64_t log_bytes_max;
  const series::SeriesCache& series;
  const tenancy::DirectorySource& directory;
  const memory_limiter::MemoryLimiter& memory;
  const service::ServiceFrame& frame;
  const net::ServerBudgets& budgets;
};

/// Values read at each scrape; the parts outlive the last one.
void show_own_metrics(service::MetricRegistry& registry, const OwnParts& parts);

}  // namespace vigia::collector
