// One OTLP export to the collector, waited for.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/net/client.hpp"
#include "libs/otlp/client.hpp"
#include "services/agent/sender/clock_offset.hpp"
#include "services/agent/sender/settings.hpp"

namespace vigia::agent::sender {

/// Thread contract: any thread.
class CollectorLink {
 public:
  /// `offset` learns from the answers; both it and the client outlive the link.
  CollectorLink(const CollectorSettings& settings, net::Client& client, ClockOffset& offset);

  /// Waits for the answer, whose meaning libs/otlp/answer.hpp decides. `body` is a whole export
  /// request.
  otlp::ExportAnswer deliver(Signal signal, std::string_view body);
  /// Ends waiting deliveries, and all later ones, with kLater. What the collector does with them is
  /// not known then.
  void interrupt();

 private:
  struct Exchange;
  otlp::ExportAnswer deliver_once(Signal signal, std::string_view body);

  otlp::ExportClient client_;
  ClockOffset& offset_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_interrupted_ = false;  // guarded by mutex_
};

}  // namespace vigia::agent::sender
