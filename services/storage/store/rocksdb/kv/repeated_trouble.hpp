// What fails again and again, for the log: once a minute each.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"

namespace vigia::storage::store::rocksdb::kv {

inline constexpr Duration kTroublePause = std::chrono::minutes(1);
/// Different ones within a pause; more are not told.
inline constexpr std::size_t kTroubleKindsMax = 16;

/// Thread contract: any thread.
class RepeatedTrouble {
 public:
  /// `clock` must outlive it; its steady time alone counts.
  explicit RepeatedTrouble(const Clock& clock) : clock_(clock) {}

  /// Whether to write it to the log. Texts that differ in their numbers alone are one kind.
  bool is_news(std::string_view text);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, TimePoint> told_;
};

}  // namespace vigia::storage::store::rocksdb::kv
