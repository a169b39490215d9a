// What the configuration says of the memory limiter.
#pragma once

#include <cstdint>

#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::memory_limiter {

struct MemoryLimiterSettings {
  std::uint64_t limit_bytes = 0;  ///< of RSS, above which intake refuses; 0: none
  /// For what is known of series; a part of the limit where there is one.
  std::uint64_t series_cache_bytes = 256U << 20U;
};

/// Sets the limit where a pipeline uses the part; its mistakes are noted all the same.
void read(const service::ConfigNode& node, bool is_used, MemoryLimiterSettings& settings,
          const config::PartContext& context);

}  // namespace vigia::collector::memory_limiter
