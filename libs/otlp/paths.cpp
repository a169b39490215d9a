#include "libs/otlp/paths.hpp"

#include <array>

namespace vigia::otlp {
namespace {

struct SignalPaths {
  Signal signal;
  std::string_view grpc;
  std::string_view http;
};

constexpr std::array<SignalPaths, 3> kPaths{{
    {Signal::kMetrics, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
     "/v1/metrics"},
    {Signal::kTraces, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces"},
    {Signal::kLogs, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs"},
}};

const SignalPaths& paths_of(Signal signal) {
  for (const SignalPaths& paths : kPaths) {
    if (paths.signal == signal) return paths;
  }
  return kPaths.front();
}

}  // namespace

std::string_view grpc_path(Signal signal) { return paths_of(signal).grpc; }

std::string_view http_path(Signal signal) { return paths_of(signal).http; }

std::optional<Signal> signal_of_path(const net::RequestHead& head) {
  const bool is_grpc = head.transport == net::Transport::kGrpc;
  for (const SignalPaths& paths : kPaths) {
    if (head.path == (is_grpc ? paths.grpc : paths.http)) return paths.signal;
  }
  return std::nullopt;
}

std::optional<Signal> signal_of_path(const net::RequestHead& head, const HttpPaths& paths) {
  if (head.transport == net::Transport::kGrpc) return signal_of_path(head);
  if (head.path == paths.metrics) return Signal::kMetrics;
  if (head.path == paths.traces) return Signal::kTraces;
  if (head.path == paths.logs) return Signal::kLogs;
  return std::nullopt;
}

}  // namespace vigia::otlp
