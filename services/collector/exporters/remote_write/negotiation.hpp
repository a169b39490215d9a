// Which version of remote write a destination speaks, as far as its answers tell.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::collector::exporters::remote_write {

enum class Version : std::uint8_t { k1 = 1, k2 = 2 };

/// 2.0 is tried at first. A destination that does not know it says 415, or takes the request for an
/// empty one of 1.0 and answers as to success: without the headers by which 2.0 says what was
/// written nothing was. It then gets 1.0 for kRememberedFor, by the steady clock, until 2.0 is
/// tried again. By 2.0 Prometheus writes a line into its log of each value that it refuses, by 1.0
/// one of a request: a customer of whom something was refused gets 1.0 for kCalmFor. The log tells
/// a change once, and nothing where the next try ends the same way. Thread contract: any thread.
class Negotiation {
 public:
  static constexpr auto kRememberedFor = std::chrono::hours(1);
  static constexpr auto kCalmFor = std::chrono::minutes(10);

  struct Settings {
    std::string exporter;
    bool only_1 = false;  ///< 2.0 is never tried
  };
  Negotiation(Settings settings, const Clock& clock, service::MetricRegistry& metrics);

  struct Choice {
    Version version = Version::k1;
    /// Of 2.0: whether it has ever answered as one that knows it, since it last did not. Until then
    /// what is sent may have to be sent once more, by 1.0.
    bool is_known = false;
  };
  Choice choose(const CustomerId& customer);
  /// Something of the customer's was refused by 2.0.
  void note_refusal(const CustomerId& customer);
  void note_speaks_2();
  void note_speaks_1(const std::string& why);

 private:
  const Settings settings_;
  const Clock& clock_;
  service::Gauge& version_;
  std::mutex mutex_;
  bool is_known_ = false;                    // to speak 2.0
  bool has_fallen_back_ = false;             // and said so
  std::optional<TimePoint> back_;            // when 2.0 is tried again
  std::map<CustomerId, TimePoint> refused_;  // when the customer gets 2.0 again
};

}  // namespace vigia::collector::exporters::remote_write
