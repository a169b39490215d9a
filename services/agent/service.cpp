#include "services/agent/service.hpp"

#include <optional>

#include <malloc.h>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "libs/service/frame.hpp"
#include "libs/service/log.hpp"
#include "services/agent/buffer/buffer.hpp"
#include "services/agent/health/agent_status.hpp"
#include "services/agent/health/health_endpoint.hpp"
#include "services/agent/relay/relay.hpp"
#include "services/agent/sender/lane.hpp"
#include "services/agent/telemetry/host_loop.hpp"

namespace vigia::agent {

namespace {

constexpr std::size_t kHealthConnectionsMax = 100;
constexpr std::size_t kHealthBodyBytesMax = 1024;
constexpr std::size_t kRelayConnectionsMax = 1000;

/// The agent has many threads that do little: an arena of memory for each would cost more than all
/// that they hold.
void keep_memory_small() {
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

class Agent final : public service::Running {
 public:
  Agent(const Settings& settings, std::unique_ptr<buffer::Buffer> buffer, const Clock& clock)
      : clock_(clock),
        settings_(settings),
        buffer_(std::move(buffer)),
        sender_status_(clock_),
        status_({*buffer_, sender_status_, counters_, clock_}),
        client_(net::Client::create(
            {.connections_per_host_max = 1, .user_agent = "vigia-agent/" VIGIA_VERSION})),
        link_(settings.collector, *client_, sender_status_.clock_offset()),
        refused_(settings.buffer.directory + "/refused", clock_),
        health_(node().customer, node().node, settings.health.token, status_),
        relay_(host::node_attributes(node()), {*buffer_, counters_, durations_, clock_}) {}

  /// What the collector still owes speaks to the link, which ends before the client.
  ~Agent() override { client_->close(); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  Result<void> start() {
    net::ServerSettings health;
    health.name = "agent health";
    health.listen = settings_.health.listen;
    health.connections_max = kHealthConnectionsMax;
    health.body_bytes_max = kHealthBodyBytesMax;
    health.tls = settings_.health.tls;
    health.loops = 1;
    const auto door = frame_.open_until_end(std::move(health), health_);
    if (!door) return forward(door);
    const auto grpc = open_relay("agent relay otlp/grpc", settings_.relay.grpc);
    if (!grpc) return forward(grpc);
    const auto http = open_relay("agent relay otlp/http", settings_.relay.http);
    if (!http) return forward(http);
    // The lanes once the doors are open: a start that fails on a port in use has sent nothing.
    for (const Signal signal : buffer::kSignals) {
      lanes_.push_back(std::make_unique<sender::Lane>(
          signal, sender::Lane::Parts{buffer_->cursor(signal), link_, refused_, sender_status_,
                                      node().customer}));
    }
    host_loop_.emplace(settings_.telemetry, telemetry::HostLoop::Parts{*buffer_, status_, counters_,
                                                                       durations_, clock_});
    service::log_info("the agent runs", {{"customer", node().customer.text()},
                                         {"node", node().node.text()},
                                         {"health", (*door)->address()},
                                         {"relay_grpc", *grpc},
                                         {"relay_http", *http},
                                         {"collector", settings_.collector.endpoint}});
    return {};
  }

  void stop(TimePoint deadline) noexcept override {
    // Applications first, so that what is acknowledged is in the buffer; then nothing new is made;
    // then what is in flight may arrive. The rest stays on disk for the next start.
    frame_.stop(deadline);
    host_loop_.reset();
    for (const auto& lane : lanes_) lane->request_stop();
    for (const auto& lane : lanes_) lane->wait_until_ended(deadline);
    lanes_.clear();
    frame_.end(deadline);
  }

 private:
  const host::NodeSettings& node() const { return settings_.telemetry.node; }

  /// Its address; "off" where it is not to be opened.
  Result<std::string> open_relay(const char* name, const std::string& address) {
    if (address.empty()) return "off";
    net::ServerSettings settings;
    settings.name = name;
    settings.listen = address;
    settings.loops = 1;
    settings.connections_max = kRelayConnectionsMax;
    settings.body_bytes_max = relay::Relay::kBodyBytesMax;
    settings.buffered_bytes_max = relay::Relay::kWaitingBytesMax;
    settings.trusted_proxies = {"127.0.0.0/8", "::1"};  // a node's applications have one address
    const auto door = frame_.open(std::move(settings), relay_);
    if (!door) return forward(door);
    return (*door)->address();
  }

  const Clock& clock_;
  const Settings settings_;
  health::AgentCounters counters_;
  std::unique_ptr<buffer::Buffer> buffer_;
  sender::SenderStatus sender_status_;
  health::AgentStatus status_;
  std::unique_ptr<net::Client> client_;
  sender::CollectorLink link_;
  sender::RefusedStore refused_;
  health::HealthEndpoint health_;
  telemetry::RequestDurations durations_;
  relay::Relay relay_;
  std::vector<std::unique_ptr<sender::Lane>> lanes_;
  std::optional<telemetry::HostLoop> host_loop_;
  service::ServiceFrame frame_;
};

}  // namespace

Result<std::unique_ptr<service::Running>> start(Settings settings) {
  keep_memory_small();
  static const SystemClock clock;
  auto buffer = buffer::Buffer::open(settings.buffer, settings.telemetry.node.customer, clock);
  if (!buffer) return forward(buffer);
  auto agent = std::make_unique<Agent>(settings, *std::move(buffer), clock);
  if (auto started = agent->start(); !started) return forward(started);
  return agent;
}

service::ProgramDescription describe_program() {
  return service::describe_service(
      "vigia-agent",
      "Runs on a customer's node: reads the host, relays applications' telemetry, buffers, sends.",
      settings_help(), read_settings, start);
}

}  // namespace vigia::agent
