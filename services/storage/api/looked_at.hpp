// What of a customer's log records is read for one answer, and when that is enough.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "libs/base/clock.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::api {

/// What a page looks at before it ends with its cursor, where it may hold few of many records:
/// whoever asks goes on with the next one, and others' turns come between. Beyond it by one record
/// at the most.
inline constexpr std::size_t kLookedAtBytesMax = 64U << 20U;
inline constexpr std::chrono::seconds kLookedAtTimeMax{1};

/// Of one page. Thread contract: the thread that makes it.
class LookedAt {
 public:
  /// `limit` must outlive it.
  explicit LookedAt(const store::WorkLimit& limit);
  /// A record with so long a text.
  void add(std::size_t text_bytes) {
    ++records_;
    bytes_ += text_bytes;
  }
  /// A record of another severity.
  void pass_by() { ++passed_by_; }
  bool is_enough();
  /// {"records":9,"bytes":700,"work_us":40}: the last one is processor time of the thread.
  std::string json() const;

 private:
  const store::WorkLimit& limit_;
  const Duration work_before_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t passed_by_ = 0;
  std::uint64_t timed_at_ = 0;  // what had been read when the clock was looked at
};

}  // namespace vigia::storage::api
