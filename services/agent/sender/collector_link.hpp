// One OTLP export to the collector, over gRPC or HTTP, and what its answer means.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/net/client.hpp"
#include "services/agent/sender/clock_offset.hpp"
#include "services/agent/sender/settings.hpp"

namespace vigia::agent::sender {

/// The collector has taken a request, perhaps without some of its items.
struct Delivery {
  std::uint64_t rejected_items = 0;
  std::string message;  ///< why, in the collector's words
};

/// Thread contract: any thread.
class CollectorLink {
 public:
  /// `offset` learns from the answers; both it and the client outlive the link.
  CollectorLink(CollectorSettings settings, net::Client& client, ClockOffset& offset);

  /// Waits for the answer. An error that is_retryable, or kUnauthenticated, leaves the data to be
  /// sent again; any other is final (R-EXP-1, R-EXP-2). Beside the codes that OTLP calls retryable
  /// those are kept that speak of the set-up (address, proxy, token, customer) and not of the data.
  /// `body` is a whole export request.
  Result<Delivery> deliver(Signal signal, const std::string& body);
  /// Ends waiting deliveries, and all later ones, with kUnavailable. What the collector does with
  /// them is not known then.
  void interrupt();

 private:
  struct Exchange;
  net::ClientRequest request(Signal signal) const;
  Result<Delivery> deliver_grpc(Signal signal, const std::string& body);
  Result<Delivery> deliver_http(Signal signal, const std::string& body);
  Result<Delivery> wait(const std::shared_ptr<Exchange>& exchange);
  std::string compression() const;
  /// True where the server does not know our compression and another one is left to try.
  bool fall_back();

  const CollectorSettings settings_;
  net::Client& client_;
  ClockOffset& offset_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_interrupted_ = false;  // guarded by mutex_
  std::string compression_;      // guarded by mutex_
};

/// rejected_* and error_message of an Export{Metrics,Trace,Logs}ServiceResponse. Bytes that are no
/// such message are a success all the same, since the status said so.
Delivery read_export_response(std::string_view bytes);

}  // namespace vigia::agent::sender
