// Requests for the collector's tests, written and read by the reference protobuf classes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::collector::testing {

using Attributes = std::vector<std::pair<std::string, std::string>>;

/// An ExportMetricsServiceRequest under construction.
class MetricsBody {
 public:
  MetricsBody();
  ~MetricsBody();
  /// Begins a resource of that customer; "" names none.
  MetricsBody& resource(const std::string& customer, const Attributes& more = {});
  /// Adds a gauge of one point to the resource begun last.
  MetricsBody& gauge(const std::string& name, std::int64_t time_ms,
                     const Attributes& attributes = {}, double value = 1);
  /// As gauge; a histogram without bounds, which becomes three series.
  MetricsBody& histogram(const std::string& name, std::int64_t time_ms);
  std::string bytes() const;

 private:
  struct Message;
  std::unique_ptr<Message> message_;
};

std::string one_gauge(const std::string& customer, const std::string& name, std::int64_t time_ms);
std::string one_span(const std::string& customer);
std::string one_record(const std::string& customer);

/// Of an ExportMetricsServiceResponse; -1 where it cannot be read.
struct PartialSuccess {
  std::int64_t rejected = -1;
  std::string message;
};
PartialSuccess read_metrics_response(std::string_view bytes);
/// Of an ExportMetricsServiceRequest; -1 where it cannot be read.
int count_resources(std::string_view bytes);

}  // namespace vigia::collector::testing
