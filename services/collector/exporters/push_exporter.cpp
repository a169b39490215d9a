#include "services/collector/exporters/push_exporter.hpp"

#include <algorithm>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::collector {
namespace {

DeliverySettings delivery_settings(const ExporterSettings& settings) {
  DeliverySettings delivery;
  delivery.request_bytes_max = settings.batch_bytes_max;
  delivery.retry_initial = settings.retry_initial;
  delivery.retry_max = settings.retry_max;
  return delivery;
}

std::string file_name(std::string exporter) {
  std::replace(exporter.begin(), exporter.end(), '/', '~');
  return exporter;
}

}  // namespace

PushExporter::PushExporter(const ExporterSettings& settings, const ExporterParts& parts,
                           std::unique_ptr<Transport> transport, std::unique_ptr<Packer> packer)
    : LogExporter(settings, parts),
      transport_(std::move(transport)),
      packer_(std::move(packer)),
      dead_letters_(parts.data_directory, settings.id),
      delivery_(delivery_settings(settings), *transport_, parts.clock),
      routing_(settings) {
  if (settings.kind == ExporterKind::kPrometheusRemoteWrite)
    heartbeat_ = std::make_unique<Heartbeat>(
        settings.name, parts.data_directory + "/heartbeats/" + file_name(settings.id), *transport_,
        parts.clock);
}

PushExporter::~PushExporter() { stop(parts_.clock.steady()); }

void PushExporter::add(std::uint32_t index, WindowRecord& record, const std::string& body) {
  const auto [place, is_new] = parcel_of_.try_emplace(
      {record.header.customer.text(), record.header.signal}, parcels_.size());
  if (is_new)
    parcels_.push_back({.customer = record.header.customer,
                        .signal = record.header.signal,
                        .message = std::exchange(spare_message_, {}),
                        .units = std::exchange(spare_units_, {})});
  Parcel& parcel = parcels_[place->second];
  const std::size_t bytes_before = parcel.message.size();
  const std::size_t units_before = parcel.units.size();
  Result<void> packed = fail(ErrorCode::kInternal, "a fault of this program, see its log");
  contain_faults("packing of a record",
                 [&] { packed = packer_->pack(index, record, body, parcel); });
  if (packed) return;
  parcel.message.resize(bytes_before);
  parcel.units.resize(units_before);
  record.is_damaged = true;
  set_aside({.customer = record.header.customer,
             .signal = record.header.signal,
             .time_ms = parts_.clock.wall_ms(),
             .why = packed.error().message,
             .content = "an OTLP request as it was acknowledged",
             .message = body});
}

void PushExporter::set_aside(const DeadLetter& letter) {
  if (++letters_ > kLettersMax) return;
  const auto written = dead_letters_.write(letter);
  if (!written)
    service::log_error("a dead letter is lost",
                       {{"exporter", settings_.id}, {"error", written.error().message}});
}

bool PushExporter::deliver(std::vector<WindowRecord>& window) {
  window_in_hand_ = &window;
  std::erase_if(parcels_, [](const Parcel& parcel) { return parcel.units.empty(); });
  const bool is_done = delivery_.run(parcels_, *this);
  window_in_hand_ = nullptr;
  if (letters_ > kLettersMax)
    service::log_warn("more was refused than is set aside",
                      {{"exporter", settings_.id},
                       {"refused", std::to_string(letters_)},
                       {"set_aside", std::to_string(kLettersMax)}});
  letters_ = 0;
  keep_room();
  parcels_.clear();
  parcel_of_.clear();
  return is_done;
}

/// The largest parcel's room serves the next window, so that a busy exporter does not move what it
/// packs to larger and larger room each time. Room of which little was used is let go.
void PushExporter::keep_room() {
  const auto largest = std::max_element(parcels_.begin(), parcels_.end(),
                                        [](const Parcel& left, const Parcel& right) {
                                          return left.message.size() < right.message.size();
                                        });
  if (largest == parcels_.end() || largest->message.size() < largest->message.capacity() / 4)
    return;
  spare_message_ = std::move(largest->message);
  spare_units_ = std::move(largest->units);
  spare_message_.clear();
  spare_units_.clear();
}

void PushExporter::on_progress(std::int64_t complete_until_ms, std::uint64_t lost) {
  if (heartbeat_ && routing_.is_shard()) heartbeat_->advance(complete_until_ms, lost, *this);
}

void PushExporter::wake(TimePoint deadline) {
  delivery_.set_stop_deadline(deadline);
  delivery_.wake();
}

bool PushExporter::go_on() {
  return !is_stopping() && (window_in_hand_ == nullptr || !is_window_gone());
}

void PushExporter::on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) {
  if (window_in_hand_ == nullptr) return;  // a heartbeat
  const Unit& refused = parcel.units[unit];
  WindowRecord& record = (*window_in_hand_)[refused.record];
  // Several series may come from one point, which is refused once.
  const bool is_new =
      parcel.signal != Signal::kMetrics || record.refused_items.insert(refused.item).second;
  if (is_new) record.dropped += refused.items;
  const std::string_view bytes = parcel.run(unit, unit + 1);
  const std::string content = letters_ < kLettersMax ? packer_->describe(bytes) : "";
  set_aside({.customer = parcel.customer,
             .signal = parcel.signal,
             .time_ms = parts_.clock.wall_ms(),
             .why = why,
             .content = content,
             .message = bytes});
}

void PushExporter::on_rejected(const Parcel& parcel, std::size_t first, std::size_t last,
                               std::uint64_t count, const std::string& why) {
  if (window_in_hand_ == nullptr) return;
  // The destination names a number, not the items: they are one customer's and one signal's, so it
  // does not matter for the books in which of these records they stood.
  for (std::size_t i = first; i < last && count > 0; ++i) {
    WindowRecord& record = (*window_in_hand_)[parcel.units[i].record];
    const std::uint64_t room =
        record.accepted - std::min<std::uint64_t>(record.dropped, record.accepted);
    const std::uint64_t taken = std::min(count, room);
    record.dropped += taken;
    count -= taken;
  }
  service::log_warn("the destination took a part", {{"exporter", settings_.id}, {"why", why}});
}

void PushExporter::on_answer(const Parcel& parcel, std::size_t first, std::size_t last,
                             const Answer& answer, Duration took) {
  note_state(answer);
  if (window_in_hand_ == nullptr) return;  // a heartbeat
  send_duration_.observe(std::chrono::duration<double, std::milli>(took).count());
  if (answer.kind == Answer::Kind::kTaken) return;
  std::uint64_t items = 0;
  for (std::size_t i = first; i < last; ++i) items += parcel.units[i].items;
  parts_.books.send_failed(parcel.signal, settings_.id, items);
}

/// One line when the destination begins to fail, one when it is well again.
void PushExporter::note_state(const Answer& answer) {
  const bool is_failing =
      answer.kind == Answer::Kind::kRetry || answer.kind == Answer::Kind::kBroken;
  if (is_failing && !is_failing_)
    service::log_warn("the destination does not take data at present; it waits in the disk log",
                      {{"exporter", settings_.id}, {"why", answer.why}});
  if (answer.kind == Answer::Kind::kTaken && is_failing_)
    service::log_info("the destination takes data again", {{"exporter", settings_.id}});
  if (answer.kind != Answer::Kind::kRefused) is_failing_ = is_failing;
}

}  // namespace vigia::collector
