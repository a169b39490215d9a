// What stands around the parts of a service: its doors and the port of its own metrics.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/net/server.hpp"
#include "libs/service/health.hpp"
#include "libs/service/metrics.hpp"

namespace vigia::service {

/// The last member of a service, since its threads call into all of the parts above it: it ends
/// first.
///
/// Thread contract: one thread; show_doors from any, once all doors are open.
class ServiceFrame {
 public:
  /// Of a service without a port of its own for metrics, as the agent, which has them at its health
  /// door.
  ServiceFrame() = default;
  /// `metrics` must outlive the frame.
  explicit ServiceFrame(MetricRegistry& metrics) : metrics_(&metrics) {}

  /// Serves the own metrics, those of the process among them, on a port of their own. Once.
  Result<void> show_metrics(std::string listen);
  /// Opens a door, whose handler must outlive the frame. kUnavailable where its port is taken. The
  /// frame keeps the server.
  Result<net::Server*> open(net::ServerSettings settings, net::Handler& handler);
  /// The same for the door of a service's clients: what they have not read of their answers is
  /// among the own metrics. One of a service.
  Result<net::Server*> open_to_clients(net::ServerSettings settings, net::Handler& handler);
  /// As open, for a door that says how the service is: it is no door that stop closes, but stays
  /// open until `end`.
  Result<net::Server*> open_until_end(net::ServerSettings settings, net::Handler& handler);

  /// Of the door that was opened at this place in their order, with the port that was really taken.
  std::string address(std::size_t door = 0) const { return doors_[door]->address(); }
  std::size_t doors() const { return doors_.size(); }
  /// Likewise, after show_metrics.
  std::string metrics_address() const { return metrics_server_->address(); }
  /// Connections and requests of each door that `open` has opened.
  void show_doors(const MetricRegistry::Emit& emit) const;

  /// Takes no new connections, at the door that was opened last first; requests in flight may end
  /// until the deadline. Safe twice.
  void stop(TimePoint deadline) noexcept;
  /// The same of what open_until_end has opened: once the parts have ended. Safe twice.
  void end(TimePoint deadline) noexcept;
  /// Ends the port of the metrics, for a service of which some part that is shown there ends before
  /// the frame.
  void hide_metrics() noexcept { metrics_server_.reset(); }

 private:
  using Doors = std::vector<std::unique_ptr<net::Server>>;
  void tell_of_tls(net::ServerSettings& settings) const;
  void tell_of_tls_files(net::ServerSettings& settings) const;
  Result<net::Server*> add(Doors& doors, net::ServerSettings settings, net::Handler& handler) const;
  static void close(const Doors& doors, TimePoint deadline) noexcept;

  MetricRegistry* metrics_ = nullptr;
  std::unique_ptr<MetricsServer> metrics_server_;
  Doors doors_;
  Doors until_end_;
};

}  // namespace vigia::service
