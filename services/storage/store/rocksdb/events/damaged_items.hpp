// Items that cannot be read, met in a walk: one bad row is one row.
#pragma once

#include <atomic>
#include <cstdint>

#include <protozero/exception.hpp>

#include "libs/base/result.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Leaves them out, counts them, and tells of the first. Of one walk; the count is all walks'.
class DamagedItems {
 public:
  explicit DamagedItems(std::atomic<std::uint64_t>& count) : count_(count) {}

  /// True, to go on, where it is damage; else the error.
  Result<bool> left_out(const Error& error);
  /// What `visit` gives; an item of which it throws protozero::exception is left out.
  template <typename Visit>
  Result<bool> visited(Visit&& visit) {
    try {
      return visit();
    } catch (const protozero::exception& damage) {
      return left_out({ErrorCode::kCorrupt, damage.what()});
    }
  }

 private:
  std::atomic<std::uint64_t>& count_;
};

}  // namespace vigia::storage::store::rocksdb::events
