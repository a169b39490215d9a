// Where a signal's requests go: OTLP's services over gRPC, its paths over HTTP.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/net/message.hpp"

namespace vigia::otlp {

/// "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export".
std::string_view grpc_path(Signal signal);
/// "/v1/metrics".
std::string_view http_path(Signal signal);
/// The signal that a request's path names, by its transport; nothing for another path.
std::optional<Signal> signal_of_path(const net::RequestHead& head);

/// Where a door that may be set up otherwise serves the signals over HTTP; gRPC's paths are fixed.
struct HttpPaths {
  std::string metrics{http_path(Signal::kMetrics)};
  std::string traces{http_path(Signal::kTraces)};
  std::string logs{http_path(Signal::kLogs)};
};
/// The same, of a door with these paths.
std::optional<Signal> signal_of_path(const net::RequestHead& head, const HttpPaths& paths);

}  // namespace vigia::otlp
