// Whose spans intake is to refuse because too many traces of theirs are in memory.
#pragma once

#include <atomic>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace vigia::collector::side {

/// Between the sampler, which says who is over, and intake. Thread contract: any thread.
class TraceShares {
 public:
  void publish(std::set<std::string> over);
  /// An atomic look while nobody is over.
  bool is_over(std::string_view customer) const;

 private:
  std::atomic<bool> is_any_over_{false};
  mutable std::shared_mutex mutex_;
  std::set<std::string, std::less<>> over_;
};

}  // namespace vigia::collector::side
