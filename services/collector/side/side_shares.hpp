// Whom intake is to refuse because too much of theirs lies aside: docs/decisions/0008-lanes.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"

namespace vigia::collector::side {

/// What lies aside of a customer at one destination, and what it may hold there now.
struct SideHold {
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
};

/// Between the side queues, which say who is at or over its share and loses nothing for room (all
/// at a required destination, elsewhere whose refusals have spent theirs), and intake, which takes
/// nothing more of them. Thread contract: any thread.
class SideShares {
 public:
  /// What is known of the exporter from now on.
  void publish(const std::string& exporter, std::map<CustomerId, SideHold> held);
  /// Nothing where the customer is below its share there. An atomic look while nobody is over.
  std::optional<SideHold> find(std::string_view exporter, const CustomerId& customer) const;

 private:
  std::atomic<bool> is_any_held_{false};
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::map<CustomerId, SideHold>, std::less<>> held_;  // by exporter
};

}  // namespace vigia::collector::side
