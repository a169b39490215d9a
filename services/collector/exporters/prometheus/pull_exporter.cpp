#include "services/collector/exporters/prometheus/pull_exporter.hpp"

#include <utility>

#include "libs/service/metrics_page.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

constexpr std::size_t kConnectionsMax = 64;

}  // namespace

PullExporter::PullExporter(const ExporterSettings& settings, std::string endpoint,
                           const ExporterParts& parts)
    : settings_(settings),
      parts_(parts),
      endpoint_(std::move(endpoint)),
      translator_({}, parts.series),
      reader_(settings, parts, *this) {
  routes_.add(
      "GET", "/metrics",
      [this](const net::Request& /*request*/, const net::PathValues& /*values*/,
             net::Responder responder) {
        net::Response response = service::metrics_answer(service::MetricsForm::kText, "");
        // Piece by piece as the scraper takes it, so that no scrape is a copy of all.
        response.stream = [this, place = LastValues::Bookmark{}]() mutable -> Result<std::string> {
          return values_.next_piece(place);
        };
        responder.send(std::move(response));
      });
}

Result<void> PullExporter::start() {
  net::ServerSettings server;
  server.name = "collector " + settings_.id;
  server.listen = endpoint_;
  server.loops = 1;
  server.connections_max = kConnectionsMax;
  auto started = net::Server::start(std::move(server), routes_);
  if (!started) return forward(started);
  server_ = *std::move(started);
  reader_.start();
  return {};
}

void PullExporter::stop(TimePoint deadline) noexcept {
  reader_.stop(deadline);
  if (server_) server_->stop(deadline);
}

std::string PullExporter::address() const { return server_ ? server_->address() : ""; }

void PullExporter::add(std::uint32_t /*index*/, WindowRecord& record, bodies::LogBody&& body) {
  auto verdicts = record.header.tag.note.empty() ? Verdicts(record.header.items)
                                                 : Verdicts::decode(record.header.tag.note);
  values_.set_customer(record.customer);
  values_.set_received_ms(record.header.received_ms);
  if (!verdicts || !translator_.translate(record.customer, body.plain(), *verdicts, values_))
    record.is_damaged = true;
}

bool PullExporter::deliver(std::vector<WindowRecord>& /*window*/) { return true; }

void PullExporter::on_progress(std::int64_t /*complete_until_ms*/, std::uint64_t /*lost*/) {
  for (const auto& [customer, values] : values_.take_over_limit())
    parts_.metrics
        .counter("vigia_pull_values_over_limit_total",
                 "Values that the pull exporter has no room for",
                 {{"exporter", settings_.id}, {"customer_id", customer}})
        .add(values);
  values_.expire(parts_.clock.wall_ms() -
                 std::chrono::duration_cast<std::chrono::milliseconds>(kStaleAfter).count());
}

MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& /*context*/) {
  settings.is_local = true;
  return [endpoint = node.child("endpoint").text("127.0.0.1:8889")](
             const ExporterSettings& known,
             const ExporterParts& parts) -> Result<std::unique_ptr<Exporter>> {
    return std::make_unique<PullExporter>(known, endpoint, parts);
  };
}

}  // namespace vigia::collector::exporters::prometheus
