// What goes out of metadata beside series by remote write 1.0, and when again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters::remote_write {

/// Type, help and unit of a metric go along when they are new or changed, and again while the
/// metric's values come, as a Prometheus sends its own: a destination may have lost or never taken
/// them, for nobody answers for metadata. What one customer has is its own: nobody's metrics push
/// another's out. Thread contract: any thread.
class MetadataSent {
 public:
  /// Until the same is said again, by the steady clock; Prometheus'
  /// `metadata_config.send_interval`.
  static constexpr auto kAgainAfter = std::chrono::minutes(1);
  /// Metrics of a customer that are told; 16 bytes each.
  static constexpr std::size_t kMetricsMax = 2048;
  /// Beside the series of one request. What is over goes with the next.
  static constexpr std::size_t kRequestBytesMax = 128U << 10U;

  explicit MetadataSent(const Clock& clock) : clock_(clock) {}
  /// The message without what 1.0 has no place for, and with the metadata that is due.
  std::string complete(const CustomerId& customer, std::string_view message);

 private:
  struct Told {
    std::uint64_t hash = 0;  // of all that is said
    TimePoint at{};
  };
  struct Customer {
    std::vector<Told> told;  // by hash
    TimePoint used{};
  };
  void add(Customer& owner, const wire::remote_write::MetadataView& metadata, std::string& out);
  Customer& customer_of(const CustomerId& customer);
  void forget_idle();

  const Clock& clock_;
  std::mutex mutex_;
  std::map<CustomerId, Customer> customers_;
};

}  // namespace vigia::collector::exporters::remote_write
