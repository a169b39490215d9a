// The door for a customer's own Prometheus, Alloy or vmagent: remote write 1.0 and 2.0.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "libs/net/server.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/receivers/customer_door.hpp"

namespace vigia::collector::receivers {

/// POST /api/v1/write and /api/v1/push. Answers (W2, R-RW-6): 204 where all was taken; 400 where a
/// part was refused, the rest being on disk, with what was written in the headers that the
/// specification has for it; 415 for another form. 429 and 503 are to be sent again, with the time
/// to wait. Thread contract: any event loop.
class RemoteWriteReceiver final : public net::Handler {
 public:
  struct Parts {
    intake::Intake& intake;
    CustomerDoor& door;
  };
  explicit RemoteWriteReceiver(const Parts& parts) : parts_(parts) {}

  /// Path, method, form and token, before a byte of the body is kept.
  std::optional<net::Response> admit(net::RequestHead& head) override;
  /// Of the snappy block, which intake unpacks within its own bound, once its customer may send it.
  bool reads_coding(const net::RequestHead& head, std::string_view coding) const override;
  std::size_t body_bytes_max(const net::RequestHead& /*head*/) const override {
    return kBlockBytesMax;
  }
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

  /// A Prometheus sends some tens of KiB, with 2,000 samples.
  static constexpr std::size_t kBlockBytesMax = 16U << 20U;

 private:
  net::Response refused(const Error& error);

  Parts parts_;
};

}  // namespace vigia::collector::receivers
