// Whether something was stored of the time that readers were told is past.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

#include "libs/model/sample.hpp"
#include "services/storage/customers/customer_numbers.hpp"

namespace vigia::storage::customers {

/// Whoever keeps answers asks `tell` before he reads, and again before he gives what he kept: where
/// the number is the same, nothing at or before the edge that he was told first has come in between
/// (docs/decisions/0036-what-the-router-keeps.md). No clock decides that: the edge that was told
/// counts, however wrong it was, and it never goes back. Of this process alone. Thread contract:
/// any thread.
class PastWrites {
 public:
  /// Samples were stored that can be read now, the oldest of them of that time. Before it is told
  /// to whoever sent them. Takes a lock only where they are of the past.
  void note(CustomerNumber customer, TimestampMs oldest_ms) noexcept;

  struct Told {
    TimestampMs edge_ms = 0;   ///< what is not later is past
    std::uint64_t writes = 0;  ///< of that customer, since the start
  };
  /// `edge_ms`: what is past from now on, where that is later than what was told before.
  /// `is_wanted` says which numbers are the customer's: it has none before its first sample.
  Told tell(TimestampMs edge_ms, const std::function<bool(CustomerNumber)>& is_wanted);

 private:
  std::atomic<TimestampMs> edge_ms_{INT64_MIN};
  std::atomic<std::uint64_t> unowned_{0};  // for which there was no memory: everybody's
  std::mutex mutex_;                       // guards the rest
  std::unordered_map<std::uint32_t, std::uint64_t> writes_;  // of customers who had any
};

}  // namespace vigia::storage::customers
