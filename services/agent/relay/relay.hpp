// OTLP from applications on this node: taken without configuration or token on loopback, stamped
// with customer and node, acknowledged once it is on disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "libs/base/clock.hpp"
#include "libs/deltas/delta_accumulator.hpp"
#include "libs/net/server.hpp"
#include "services/agent/buffer/buffer.hpp"
#include "services/agent/health/agent_status.hpp"
#include "services/agent/relay/stamp.hpp"
#include "services/agent/telemetry/request_durations.hpp"

namespace vigia::agent::relay {

/// Requests with deltas or request durations go through a thread of the relay's own, one after the
/// other, since what they add must count only if they were kept; all others share an fdatasync.
/// Thread contract: event loops, through net::Handler.
class Relay final : public net::Handler {
 public:
  struct Parts {
    buffer::Buffer& buffer;
    health::AgentCounters& counters;
    telemetry::RequestDurations& durations;
    const Clock& clock;
  };
  /// `attributes`: what every resource is stamped with.
  Relay(const std::vector<host::ResourceAttribute>& attributes, Parts parts);
  ~Relay() override;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  Relay(Relay&&) = delete;
  Relay& operator=(Relay&&) = delete;

  std::optional<net::Response> admit(net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;

  /// One decoded request: what an application may send at once, and how much may wait in memory.
  static constexpr std::size_t kBodyBytesMax = 16U << 20U;
  static constexpr std::size_t kWaitingBytesMax = 32U << 20U;
  static constexpr std::size_t kWaitingRequestsMax = 256;
  /// A request with our attributes on each of its resources.
  static constexpr std::size_t kStampedBytesMax = 32U << 20U;

 private:
  struct Job {
    net::RequestHead head;
    std::string body;
    RequestContents contents;
    net::Responder responder;
  };
  void keep(Job job, Signal signal);
  void enqueue(Job job);
  void run();
  void process(Job job);
  Result<std::string> rewrite(const Job& job, deltas::PointJudge& left_out);

  const ResourceStamp stamp_;
  Parts parts_;
  deltas::DeltaAccumulator deltas_;  // the thread's own
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> waiting_;        // guarded by mutex_
  std::size_t waiting_bytes_ = 0;  // guarded by mutex_
  bool is_stopping_ = false;       // guarded by mutex_
  std::thread thread_;             // last: it uses all of the above
};

}  // namespace vigia::agent::relay
