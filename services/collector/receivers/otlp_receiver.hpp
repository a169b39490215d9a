// The doors: OTLP over gRPC and HTTP, protobuf and JSON, on whatever port.
#pragma once

#include <memory>
#include <optional>

#include "libs/net/server.hpp"
#include "libs/otlp/paths.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/receivers/customer_door.hpp"

namespace vigia::collector::receivers {

/// One for each set of paths. Thread contract: any event loop.
class OtlpReceiver final : public net::Handler {
 public:
  struct Parts {
    intake::Intake& intake;
    CustomerDoor& door;
    vigia::otlp::HttpPaths paths = {};
  };
  explicit OtlpReceiver(const Parts& parts) : parts_(parts) {}

  /// Path, method, content type and token, before a byte of the body is kept.
  std::optional<net::Response> admit(net::RequestHead& head) override;
  std::size_t body_bytes_max(const net::RequestHead& head) const override;
  std::unique_ptr<net::GrpcTalk> open_talk(const net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  net::Response refused(const net::RequestHead& head, const Error& error);
  std::string no_path() const;

  Parts parts_;
};

}  // namespace vigia::collector::receivers
