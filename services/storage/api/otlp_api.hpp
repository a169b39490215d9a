// Spans and log records by OTLP: POST /v1/traces and /v1/logs, protobuf, and over gRPC.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "libs/net/message.hpp"
#include "libs/service/metrics.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

/// Contract, in HTTP's words; over gRPC the same by its codes: X-Vigia-Customer is required, but
/// for a request with nothing in it, which asks whether the store takes anything (503 where not, as
/// on a full disk); 200 with an Export*ServiceResponse once what was taken is on disk, its
/// partial_success saying what was refused; 400 where all was refused or the body cannot be read;
/// 415 for another content type; 503 for a passing fault. Repeating a request is harmless. Thread
/// contract: any thread that may block.
class OtlpApi {
 public:
  /// Both must outlive it. `signal` is traces or logs.
  OtlpApi(store::EventStore& events, service::MetricRegistry& registry, Signal signal)
      : events_(events), registry_(registry), signal_(signal) {}
  net::Response handle(const net::Request& request);

 private:
  net::Response handle_nobodys(const net::Request& request) const;
  void count(const CustomerId& customer, const store::EventCounts& counts);
  store::EventStore& events_;
  service::MetricRegistry& registry_;
  Signal signal_;
};

}  // namespace vigia::storage::api
