// How much of earlier answers is kept.
#pragma once

#include <chrono>
#include <cstdint>

namespace vigia::router::cache {

struct CacheSettings {
  std::uint64_t total_max = 256U << 20U;    ///< bytes of all customers together; 0: nothing is kept
  std::uint64_t customer_max = 64U << 20U;  ///< of one of them
};

}  // namespace vigia::router::cache
