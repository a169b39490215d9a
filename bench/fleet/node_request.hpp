// What a node of the fleet sends at a tick: one template for all, in which a node's name, its
// customer's, the time and the values are put where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vigia::bench {

/// Thread contract: one thread.
class NodeRequest {
 public:
  /// `series` gauges and counters of a host, a point of each, in metrics of 25 points with three
  /// attributes a point; at least 25.
  explicit NodeRequest(std::size_t series);

  std::size_t series() const { return series_; }
  /// All points have this time from here on; values follow it.
  void set_time(std::uint64_t time_ns);
  /// Appends the gRPC message of a node, framed, not compressed. `node` and `customer` are below
  /// a million and ten thousand.
  void append_message(std::size_t node, std::size_t customer, std::string& out);

 private:
  std::size_t series_;
  std::string body_;
  std::vector<std::size_t> times_;
  std::vector<std::size_t> values_;
  std::vector<std::size_t> nodes_;
  std::vector<std::size_t> customers_;
};

/// "customer-0007"
std::string customer_name(std::size_t customer);

}  // namespace vigia::bench
