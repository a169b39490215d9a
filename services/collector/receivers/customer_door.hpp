// Whose a request is: what all doors ask before they keep a byte of its body.
#pragma once

#include <functional>
#include <memory>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/net/message.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/receivers/shut_out.hpp"

namespace vigia::collector::receivers {

/// One for all doors. Thread contract: any thread. `metrics` shows whom it refuses and must not
/// after its end.
class CustomerDoor {
 public:
  struct Parts {
    std::function<std::shared_ptr<const tenancy::Directory>()> directory;
    const Clock& clock;
    /// True while memory is far over its limit: the doors take small requests only, and a balancer
    /// is told to send its others elsewhere (grpc.health.v1).
    std::function<bool()> is_short_of_memory;
    service::MetricRegistry& metrics;
  };
  explicit CustomerDoor(const Parts& parts);

  /// The customer of the head's token, which then is the head's owner; the token is hashed once,
  /// and is not kept beyond the head. kUnavailable while no directory was ever loaded, since
  /// clients drop data on UNAUTHENTICATED (R-OTLP-12).
  Result<tenancy::Customer> admit(net::RequestHead& head) const;
  /// Once more, before the body is judged: it may have taken its time, and a token may be revoked
  /// meanwhile.
  Result<tenancy::Customer> authenticate(const net::RequestHead& head) const;
  /// A request of the customer is taken, so it is not shut out.
  void note_let_in(const CustomerId& customer) { shut_out_.note_let_in(customer); }
  /// The same at the head, which says nothing while memory is short.
  void note_admitted(const CustomerId& customer);
  /// A request is answered with an error.
  void note_refused() { requests_refused_.add(); }
  /// The server refuses one by itself.
  void note_refused_by_server(const net::RequestHead& head, const Error& error);
  /// Whether data can be taken at all.
  bool is_serving() const;

 private:
  static Result<tenancy::TokenHash> read_token(const net::RequestHead& head);

  Parts parts_;
  service::Counter& requests_refused_;
  ShutOut shut_out_;
};

}  // namespace vigia::collector::receivers
