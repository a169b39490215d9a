#include "services/collector/exporters/prometheus/pull_exporter.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/model/label_name.hpp"
#include "libs/model/labels.hpp"
#include "libs/service/log.hpp"
#include "services/collector/exporters/translation_settings.hpp"

namespace vigia::collector::exporters::prometheus {
namespace {

constexpr std::size_t kConnectionsMax = 64;

/// As what the page shows: a native histogram has no place in it.
wire::prometheus::TranslatorSettings shown_translation(const ExporterSettings& settings,
                                                       const ExporterParts& parts) {
  auto own = settings.translation;
  own.exponential = wire::prometheus::ExponentialForm::kClassic;
  return exported_translation(own, parts.judging);
}

void read_const_labels(const service::ConfigNode& node, PullSettings& pull) {
  for (const std::string& name : node.keys()) {
    const service::ConfigNode label = node.child(name);
    if (!is_classic_label_name(name) || name == kCustomerLabel || name.starts_with("__"))
      label.note_error("is no label that an exporter may set");
    pull.exposition.const_labels.emplace_back(name, label.text());
  }
  std::sort(pull.exposition.const_labels.begin(), pull.exposition.const_labels.end());
}

PullSettings read_pull(const service::ConfigNode& node) {
  PullSettings pull;
  pull.endpoint = node.child("endpoint").text(pull.endpoint);
  pull.expiration = node.child("metric_expiration").duration(pull.expiration);
  pull.has_open_metrics = node.child("enable_open_metrics").boolean(true);
  pull.exposition.has_timestamps = node.child("send_timestamps").boolean(false);
  const service::ConfigNode name = node.child("namespace");
  if (const std::string text = name.text(); !text.empty()) {
    if (!is_classic_metric_name(text)) name.note_error("is no beginning of a metric's name");
    pull.exposition.name_prefix = text + "_";
  }
  read_const_labels(node.child("const_labels"), pull);
  return pull;
}

}  // namespace

PullExporter::PullExporter(const ExporterSettings& settings, PullSettings pull,
                           const ExporterParts& parts)
    : settings_(settings),
      parts_(parts),
      pull_(std::move(pull)),
      translator_(shown_translation(settings, parts), parts.series),
      reader_(settings, parts, *this) {
  routes_.add("GET", "/metrics",
              [this](const net::Request& request, const net::PathValues& /*values*/,
                     net::Responder responder) { serve(request, std::move(responder)); });
}

void PullExporter::serve(const net::Request& request, net::Responder responder) const {
  Exposition exposition = pull_.exposition;
  negotiate(request.headers.get("accept"), pull_.has_open_metrics, exposition);
  net::Response response;
  response.headers.add("content-type", content_type(exposition));
  // Piece by piece as the scraper takes it, so that no scrape is a copy of all.
  response.stream = [this, exposition = std::move(exposition),
                     place =
                         LastValues::Bookmark{}]() mutable -> Result<std::optional<std::string>> {
    return values_.next_piece(exposition, place);
  };
  responder.send(std::move(response));
}

Result<void> PullExporter::start() {
  net::ServerSettings server;
  server.name = "collector " + settings_.id;
  server.listen = pull_.endpoint;
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
  tell_conflicts();
  values_.expire(parts_.clock.wall_ms() -
                 std::chrono::duration_cast<std::chrono::milliseconds>(pull_.expiration).count());
}

void PullExporter::tell_conflicts() {
  const LastValues::Conflicts conflicts = values_.take_conflicts();
  const auto count = [this](const std::map<std::string, std::uint64_t>& found, const char* kind) {
    for (const auto& [customer, values] : found)
      parts_.metrics
          .counter("vigia_pull_conflicts_total",
                   "Values of a family that has another type under that name, which are left out; "
                   "series of one with another help, which are shown under the first one's",
                   {{"exporter", settings_.id}, {"customer_id", customer}, {"kind", kind}})
          .add(values);
  };
  count(conflicts.of_type, "type");
  count(conflicts.of_help, "help");
  for (const Conflict& conflict : conflicts.news) {
    service::log_warn(conflict.is_type
                          ? "a family of that name has another type, and came first: this one is "
                            "not shown"
                          : "a family of that name has another help, and came first: that is shown",
                      {{"exporter", settings_.id},
                       {"family", conflict.family},
                       {"customer_id", conflict.customer}});
  }
}

MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& /*context*/) {
  settings.is_local = true;
  settings.makes_series = true;
  settings.translation = read_translation(node);
  return [pull = read_pull(node)](const ExporterSettings& known,
                                  const ExporterParts& parts) -> Result<std::unique_ptr<Exporter>> {
    return std::make_unique<PullExporter>(known, pull, parts);
  };
}

}  // namespace vigia::collector::exporters::prometheus
