// The doors: OTLP over gRPC and HTTP, protobuf and JSON, on whatever port.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "libs/base/clock.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/receivers/shut_out.hpp"

namespace vigia::collector::receivers {

/// Thread contract: any event loop. `metrics` shows whom it refuses and must not after its end.
class OtlpReceiver final : public net::Handler {
 public:
  struct Parts {
    intake::Intake& intake;
    std::function<std::shared_ptr<const tenancy::Directory>()> directory;
    const Clock& clock;
    /// True while memory is far over its limit: the doors take small requests only, and a balancer
    /// is told to send its others elsewhere (grpc.health.v1).
    std::function<bool()> is_short_of_memory;
    service::MetricRegistry& metrics;
  };
  explicit OtlpReceiver(const Parts& parts);

  /// Path, method, content type and token, before a byte of the body is kept. Tokens: kUnavailable
  /// while no directory was ever loaded, since clients drop data on UNAUTHENTICATED (R-OTLP-12).
  std::optional<net::Response> admit(net::RequestHead& head) override;
  std::size_t body_bytes_max(const net::RequestHead& head) const override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  static Result<tenancy::TokenHash> read_token(const net::RequestHead& head);
  /// By the head's credential, if it has one, or its Authorization header.
  Result<tenancy::Customer> authenticate(const net::RequestHead& head) const;
  net::Response refused(const net::RequestHead& head, const Error& error);

  Parts parts_;
  service::Counter& requests_refused_;
  ShutOut shut_out_;
};

}  // namespace vigia::collector::receivers
