#include "services/collector/exporters/debug/debug_exporter.hpp"

#include <array>

#include "libs/series/public_otlp.hpp"
#include "libs/service/log.hpp"
#include "services/collector/bodies/accepted_items.hpp"
#include "services/collector/exporters/debug/item_lines.hpp"

namespace vigia::collector::exporters::debug {
namespace {

/// Nothing where the bytes are no such request; intake has read them before.
Result<std::string> shown_body(const WindowRecord& record, std::string_view body) {
  std::string shown(body);
  if (record.header.rejected > 0) {
    const auto verdicts = Verdicts::decode(record.header.tag.note);
    if (!verdicts) return forward(verdicts);
    auto kept = bodies::accepted_items(record.signal, body, *verdicts);
    if (!kept) return forward(kept);
    shown = *std::move(kept);
  }
  // What came by remote write stands in a form of our own.
  if (record.signal != Signal::kMetrics || !series::has_own_form(shown)) return shown;
  auto made = series::to_public_otlp(shown);
  if (!made) return forward(made);
  return std::move(made->body);
}

DebugSettings read_own_keys(const service::ConfigNode& node) {
  DebugSettings debug;
  const service::ConfigNode level = node.child("verbosity");
  const std::string name = level.text("basic");
  if (name == "normal")
    debug.verbosity = Verbosity::kNormal;
  else if (name == "detailed")
    debug.verbosity = Verbosity::kDetailed;
  else if (name != "basic")
    level.note_error("must be basic, normal or detailed");
  constexpr std::int64_t kMax = 1'000'000'000;
  LineBudget::Sampling& sampling = debug.sampling;
  sampling.initial =
      static_cast<std::uint32_t>(node.child("sampling_initial").integer(sampling.initial, 0, kMax));
  sampling.thereafter = static_cast<std::uint32_t>(
      node.child("sampling_thereafter").integer(sampling.thereafter, 0, kMax));
  return debug;
}

}  // namespace

DebugExporter::DebugExporter(const ExporterSettings& settings, DebugSettings debug,
                             const ExporterParts& parts)
    : id_(settings.id),
      debug_(debug),
      budget_(debug.sampling, parts.clock),
      reader_(settings, parts, *this) {}

Result<void> DebugExporter::start() {
  reader_.start();
  return {};
}

void DebugExporter::stop(TimePoint deadline) noexcept { reader_.stop(deadline); }

/// Nothing is unpacked for a count, or for a request that is not shown.
bool DebugExporter::add_unopened(WindowRecord& record, bodies::LogBody& /*body*/) {
  return debug_.verbosity == Verbosity::kBasic || !budget_.shows_request(record.customer);
}

void DebugExporter::add(std::uint32_t /*index*/, WindowRecord& record, bodies::LogBody&& body) {
  show_items(record, body.plain());
}

void DebugExporter::show_items(const WindowRecord& record, std::string_view body) {
  const auto shown = shown_body(record, body);
  if (!shown) return;
  ItemLines lines({id_, record.customer, record.signal, debug_.verbosity == Verbosity::kDetailed},
                  budget_);
  (void)wire::otlp::walk(record.signal, *shown, lines);
}

bool DebugExporter::deliver(std::vector<WindowRecord>& window) {
  std::array<std::uint64_t, 4> items{};  // by the signal
  for (const WindowRecord& record : window)
    items.at(static_cast<std::size_t>(record.signal)) += record.accepted;
  const auto count = [&items](Signal signal) {
    return std::to_string(items.at(static_cast<std::size_t>(signal)));
  };
  service::log_info("telemetry", {{"exporter", id_},
                                  {"records", std::to_string(window.size())},
                                  {"data_points", count(Signal::kMetrics)},
                                  {"spans", count(Signal::kTraces)},
                                  {"log_records", count(Signal::kLogs)}});
  return true;
}

/// Here and not in deliver: nothing may come behind a flood.
void DebugExporter::on_progress(std::int64_t /*complete_until_ms*/, std::uint64_t /*lost*/) {
  if (const std::uint64_t left_out = budget_.take_left_out(); left_out > 0)
    service::log_info("telemetry that is not shown: more than may be written",
                      {{"exporter", id_}, {"items", std::to_string(left_out)}});
}

MakeExporter read(const service::ConfigNode& node, ExporterSettings& settings,
                  const config::PartContext& context) {
  settings.is_local = true;
  config::take_notes(node, {"use_internal_logger", "output_paths"},
                     "it goes into the program's log", context.notes);
  return [debug = read_own_keys(node)](
             const ExporterSettings& known,
             const ExporterParts& parts) -> Result<std::unique_ptr<Exporter>> {
    return std::make_unique<DebugExporter>(known, debug, parts);
  };
}

}  // namespace vigia::collector::exporters::debug
