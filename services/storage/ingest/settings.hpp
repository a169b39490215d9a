// What the ingester may hold, in memory and in its write-ahead log.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/service/config.hpp"

namespace vigia::storage::ingest {

struct IngesterSettings {
  std::string log_directory;
  std::uint64_t log_bytes_max = 10ULL << 30U;
  /// Of one of its files: what can be let go at once.
  std::uint64_t log_segment_bytes = 16U << 20U;
  /// Memory of samples under way: logged or about to be, not yet in the heads. Customers share it;
  /// more is refused, retryably.
  std::size_t pending_bytes_max = 128U << 20U;
  /// Of it, those that wait for a look into the store.
  std::size_t late_bytes_max = 32U << 20U;
  Duration sweep_interval = std::chrono::seconds(30);
};

/// Of the key `log`; what cannot be is noted at its key. Directory and shares of memory are for
/// whoever opens it.
IngesterSettings read_ingester(const service::ConfigNode& log);

}  // namespace vigia::storage::ingest
