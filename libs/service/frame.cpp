#include "libs/service/frame.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/service/fault_places.hpp"
#include "libs/service/log.hpp"
#include "libs/service/process_metrics.hpp"

namespace vigia::service {

Result<void> ServiceFrame::show_metrics(std::string listen) {
  CHECK(metrics_ != nullptr);
  add_process_metrics(*metrics_);
  auto server = MetricsServer::start(std::move(listen), *metrics_);
  if (!server) return forward(server);
  metrics_server_ = *std::move(server);
  return {};
}

// Strangers come as often as they like: each reason has a line once in a while.
void ServiceFrame::tell_of_tls(net::ServerSettings& settings) const {
  if (!settings.tls || settings.on_tls_refused) return;
  Counter* const refused = metrics_ == nullptr
                               ? nullptr
                               : &metrics_->counter("vigia_tls_refused_total",
                                                    "Clients with which no TLS connection came "
                                                    "about",
                                                    {{"door", settings.name}});
  const auto reasons = std::make_shared<FaultPlaces>();  // shared by copies of the function
  settings.on_tls_refused = [refused, reasons, door = settings.name](std::string_view peer,
                                                                     std::string_view why) {
    if (refused != nullptr) refused->add();
    const auto noted = reasons->note(why, std::chrono::steady_clock::now());
    if (!noted.is_told) return;
    log_warn("no TLS connection with a client", {{"door", door},
                                                 {"client", std::string(peer)},
                                                 {"why", std::string(why)},
                                                 {"left_out", std::to_string(noted.left_out)}});
  };
}

void ServiceFrame::tell_of_tls_files(net::ServerSettings& settings) const {
  if (!settings.tls || settings.on_tls_read) return;
  const MetricLabels labels{{"door", settings.name}};
  Gauge* expires = nullptr;
  Counter* reads = nullptr;
  Counter* failures = nullptr;
  if (metrics_ != nullptr) {
    expires =
        &metrics_->gauge("vigia_tls_certificate_expires_seconds",
                         "When the certificate in use is over, in seconds since 1970", labels);
    reads = &metrics_->counter("vigia_tls_files_read_total",
                               "Times that certificate and key were read and used", labels);
    failures =
        &metrics_->counter("vigia_tls_files_refused_total",
                           "Times that new files could not be used: the old ones are", labels);
  }
  settings.on_tls_read = [expires, reads, failures, door = settings.name,
                          is_first =
                              std::make_shared<bool>(true)](const Result<std::int64_t>& expires_s) {
    if (!expires_s) {
      if (failures != nullptr) failures->add();
      log_error("new files of TLS cannot be used, the old ones stay",
                {{"door", door}, {"error", expires_s.error().message}});
      return;
    }
    if (expires != nullptr) expires->set(static_cast<double>(*expires_s));
    if (reads != nullptr) reads->add();
    if (!std::exchange(*is_first, false)) {
      log_info("new files of TLS are used", {{"door", door}});
    }
  };
}

Result<net::Server*> ServiceFrame::add(Doors& doors, net::ServerSettings settings,
                                       net::Handler& handler) const {
  tell_of_tls(settings);
  tell_of_tls_files(settings);
  auto server = net::Server::start(std::move(settings), handler);
  if (!server) return forward(server);
  doors.push_back(*std::move(server));
  return doors.back().get();
}

Result<net::Server*> ServiceFrame::open(net::ServerSettings settings, net::Handler& handler) {
  return add(doors_, std::move(settings), handler);
}

Result<net::Server*> ServiceFrame::open_to_clients(net::ServerSettings settings,
                                                   net::Handler& handler) {
  CHECK(metrics_ != nullptr);
  // Made here and not by the server, since they are looked at beside it.
  settings.budgets = net::make_budgets(settings);
  add_door_metrics(*metrics_, settings.budgets);
  return open(std::move(settings), handler);
}

Result<net::Server*> ServiceFrame::open_until_end(net::ServerSettings settings,
                                                  net::Handler& handler) {
  return add(until_end_, std::move(settings), handler);
}

void ServiceFrame::show_doors(const MetricRegistry::Emit& emit) const {
  for (const auto& door : doors_) {
    const net::ServerStats stats = door->stats();
    const MetricLabels labels{{"address", door->address()}};
    emit("vigia_connections", "Open connections", MetricType::kGauge, labels,
         static_cast<double>(stats.connections));
    emit("vigia_connections_refused_total", "Connections over the limit", MetricType::kCounter,
         labels, static_cast<double>(stats.connections_refused));
    emit("vigia_requests_total", "Requests begun", MetricType::kCounter, labels,
         static_cast<double>(stats.requests));
  }
}

void ServiceFrame::close(const Doors& doors, TimePoint deadline) noexcept {
  // Whoever came last may use what the first ones give.
  for (auto door = doors.rbegin(); door != doors.rend(); ++door) (*door)->stop(deadline);
}

void ServiceFrame::stop(TimePoint deadline) noexcept { close(doors_, deadline); }

void ServiceFrame::end(TimePoint deadline) noexcept { close(until_end_, deadline); }

}  // namespace vigia::service
