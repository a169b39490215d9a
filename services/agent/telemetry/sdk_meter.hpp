// The OpenTelemetry C++ SDK behind one call: families in, an OTLP request out. All of the SDK's
// headers stand in the .cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "services/agent/host/identity.hpp"
#include "services/agent/host/metric_family.hpp"

namespace vigia::agent::telemetry {

struct EncodedMetrics {
  std::string body;  ///< an ExportMetricsServiceRequest; empty where there are no points
  std::uint32_t points = 0;
};

/// Registers an observable instrument for each family at its first mention and has the SDK collect
/// them. Only points of the present round are sent: the SDK itself would repeat those of devices
/// that have gone, for ever. Sums are cumulative. Thread contract: one thread.
class SdkMeter {
 public:
  explicit SdkMeter(const std::vector<host::ResourceAttribute>& resource);
  ~SdkMeter();
  SdkMeter(const SdkMeter&) = delete;
  SdkMeter& operator=(const SdkMeter&) = delete;
  SdkMeter(SdkMeter&&) = delete;
  SdkMeter& operator=(SdkMeter&&) = delete;

  /// All points carry exactly `time_ns`.
  EncodedMetrics collect(const std::vector<host::MetricFamily>& families, std::int64_t time_ns);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigia::agent::telemetry
