// What 13133 says of the collector.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/exporters/exporter.hpp"

namespace vigia::collector {

/// How the collector stands, for whoever asks: a person, a balancer, an orchestrator.
struct HealthReport {
  struct Reason {
    std::string_view name;  ///< "disk", "memory", "directory", "clock", "exporter"
    std::string text;       ///< what it is and what to do
    /// Nothing is taken while it lasts, or nothing but small requests.
    bool refuses = false;
  };
  bool is_ready = true;  ///< false before the end of the start and after the begin of the end
  std::vector<Reason> reasons = {};

  /// 503 only while intake refuses: whoever sends elsewhere then does so rightly, and a collector
  /// that takes all while a store is away must not be restarted for it.
  int status() const;
  /// {"status":"ok","reasons":[{"reason":"disk","detail":"…"}]}; `status` is "unavailable" with
  /// 503, "clock_in_doubt" for a clock, else "ok". `detail` is the first reason's.
  std::string json() const;
};

/// An exporter is named once nothing was taken of it for so long.
inline constexpr Duration kFailingToldAfter = std::chrono::minutes(5);
/// The reason that an exporter gives; "" where it gives none yet.
std::string failing_text(std::string_view exporter, const exporters::Exporter::Failing& failing,
                         TimePoint now);

}  // namespace vigia::collector
