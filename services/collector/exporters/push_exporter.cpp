#include "services/collector/exporters/push_exporter.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/collector/side/left_aside.hpp"

namespace vigia::collector::exporters {
namespace {

delivery::DeliverySettings delivery_settings(const ExporterSettings& settings,
                                             const PushSettings& push) {
  delivery::DeliverySettings delivery;
  delivery.request_bytes_max = push.batch_bytes_max;
  delivery.retry_initial = push.retry_initial;
  delivery.retry_max = push.retry_max;
  if (const std::size_t most = settings.request_items_max; most > 0) {
    delivery.request_items_max = std::min(delivery.request_items_max, most);
    delivery.request_units_max = std::min(delivery.request_units_max, most);
  }
  return delivery;
}

/// More than there can be where it cannot be told: then none is kept.
std::uint64_t free_bytes(const std::string& folder) {
  std::error_code fault;
  const auto space = std::filesystem::space(folder, fault);
  return fault ? std::numeric_limits<std::uint64_t>::max() : space.available;
}

/// The longest that a required destination's suspects are kept: nothing may be given up for a fault
/// that its operators have a day to see.
constexpr auto kRequiredGiveUpAfter = std::chrono::hours(24);
/// Until what could not be set aside is tried again, doubled each time.
constexpr auto kHeldPauseMin = std::chrono::seconds(1);
constexpr auto kHeldPauseMax = std::chrono::seconds(30);
constexpr auto kHeldLook = std::chrono::milliseconds(100);
constexpr int kSecondsToMs = 1000;

void show_refusals(const delivery::RefusalBudget& refusals, const std::string& exporter,
                   const service::MetricRegistry::Emit& emit) {
  for (const auto& [customer, account] : refusals.accounts()) {
    const service::MetricLabels labels{{"exporter", exporter}, {"customer_id", customer.text()}};
    emit("vigia_exporter_refused_bytes_total",
         "What refusals of a customer's data have cost the destination, by the lines of its log",
         service::MetricType::kCounter, labels, static_cast<double>(account.bytes));
    emit("vigia_exporter_refusals_waited_seconds_total",
         "Time in which a customer's data waited because too much of it was refused",
         service::MetricType::kCounter, labels,
         std::chrono::duration<double>(account.waited).count());
  }
}

Duration give_up_after(const PushSettings& push, bool is_required) {
  if (push.give_up_after > Duration::zero()) return push.give_up_after;
  return is_required ? Duration(kRequiredGiveUpAfter) : side::SideLaneSettings{}.give_up_after;
}

}  // namespace

/// Whose what lies aside is, as it was last looked at; gone from the metrics when it is gone here.
struct PushExporter::SideRooms {
  std::mutex mutex;
  std::map<CustomerId, std::uint64_t> rooms;
  std::map<CustomerId, double> ages_s;

  void collect(const std::string& exporter, const service::MetricRegistry::Emit& emit) {
    const std::lock_guard lock(mutex);
    for (const auto& [customer, bytes] : rooms)
      emit("vigia_exporter_side_customer_bytes",
           "What is set aside of a customer; refused at its share where nothing of it may be "
           "dropped",
           service::MetricType::kGauge, {{"exporter", exporter}, {"customer_id", customer.text()}},
           static_cast<double>(bytes));
    for (const auto& [customer, age_s] : ages_s)
      emit("vigia_exporter_side_oldest_seconds", "Age of the oldest data set aside of a customer",
           service::MetricType::kGauge, {{"exporter", exporter}, {"customer_id", customer.text()}},
           age_s);
  }
};

PushExporter::PushExporter(const ExporterSettings& settings, const PushSettings& push,
                           const ExporterParts& parts, Means means)
    : settings_(settings),
      parts_(parts),
      push_(push),
      means_(std::move(means)),
      evidence_(std::make_shared<delivery::Evidence>()),
      prober_(means_.probe, *means_.transport, evidence_, parts.clock, parts.time),
      delivery_(delivery_settings(settings, push), *means_.transport, parts.clock, evidence_,
                &prober_),
      refusals_(
          std::make_shared<delivery::RefusalBudget>(push.refused_bytes_per_second, parts.clock)),
      dead_letters_(parts.data_directory, settings.id),
      warnings_(parts.metrics.counter("vigia_exporter_warnings_total",
                                      "Answers that took all and had something to say beside it",
                                      {{"exporter", settings.id}})),
      oldest_waiting_(parts.metrics.gauge("vigia_exporter_oldest_waiting_seconds",
                                          "Age of the oldest data that waits for the destination",
                                          {{"exporter", settings.id}})),
      side_bytes_(parts.metrics.gauge("vigia_exporter_side_bytes",
                                      "What is set aside because the destination does not take it",
                                      {{"exporter", settings.id}})),
      side_items_(parts.metrics.gauge("vigia_exporter_side_items", "Items set aside",
                                      {{"exporter", settings.id}})),
      side_is_full_(parts.metrics.gauge("vigia_exporter_side_is_full",
                                        "1 while what is to be set aside finds no room on the disk",
                                        {{"exporter", settings.id}})),
      side_rooms_(std::make_shared<SideRooms>()),
      reader_(settings, parts, *this) {
  parts.metrics.on_collect(
      [rooms = side_rooms_, id = settings.id](const service::MetricRegistry::Emit& emit) {
        rooms->collect(id, emit);
      });
  parts.metrics.on_collect(
      [refusals = refusals_, id = settings.id](const service::MetricRegistry::Emit& emit) {
        show_refusals(*refusals, id, emit);
      });
}

PushExporter::~PushExporter() = default;

void PushExporter::stop(TimePoint deadline) noexcept { reader_.stop(deadline); }

Result<void> PushExporter::start() {
  side::SideQueueSettings side;
  side.directory = side::side_folder(parts_.data_directory, settings_.id);
  side.customer_bytes_max = push_.side_customer_bytes_max;
  side.is_required = settings_.required;
  side.exporter = settings_.id;
  side.shares = parts_.side_shares;
  side.reserve_bytes = parts_.side_reserve_bytes;
  side.keeps_all_of = [refusals = refusals_](const CustomerId& customer) {
    return refusals->is_short(customer);
  };
  side.free_bytes = [folder = parts_.data_directory] { return free_bytes(folder); };
  side.on_damaged = [this] {
    if (means_.marks) means_.marks->note_loss();
  };
  auto queue = side::SideQueue::open(
      std::move(side), parts_.clock,
      [this](const side::SideHead& head) {
        parts_.books.queued_at_start(head.customer, head.signal, settings_.id, head.items);
      },
      [this](const side::SideHead& head) {
        on_side_dropped(head.customer, head.signal, books::DropCause::kCap, head.items);
      },
      disk_log::system_files());
  if (!queue) return forward(queue);
  queue_ = *std::move(queue);
  lane_ = std::make_unique<side::SideLane>(
      side::SideLaneSettings{delivery_settings(settings_, push_),
                             give_up_after(push_, settings_.required)},
      side::SideLaneParts{*queue_, *means_.transport, evidence_, &prober_, *means_.packer,
                          parts_.clock, *this});
  lane_->start();
  reader_.start();
  return {};
}

delivery::Parcel& PushExporter::parcel_for(const WindowRecord& record) {
  const auto [place, is_new] =
      parcel_of_.try_emplace({record.customer.text(), record.signal}, parcels_.size());
  if (is_new)
    parcels_.push_back({.customer = record.customer,
                        .signal = record.signal,
                        .message = std::exchange(spare_message_, {}),
                        .units = std::exchange(spare_units_, {})});
  return parcels_[place->second];
}

PushExporter::Apart& PushExporter::apart_for(const WindowRecord& record) {
  const auto [place, is_new] =
      apart_.try_emplace({record.customer.text(), record.signal},
                         Apart{{},
                               {.customer = record.customer, .signal = record.signal},
                               record.header.received_ms,
                               0});
  Apart& apart = place->second;
  apart.received_ms = std::min(apart.received_ms, record.header.received_ms);
  return apart;
}

/// The record, from `from` on, joins what waits aside.
void PushExporter::follow(WindowRecord& record, bodies::LogBody&& body, delivery::Place from,
                          std::uint64_t items) {
  Apart& apart = apart_for(record);
  apart.records.push_back({.items = record.header.items,
                           .rejected = record.header.rejected,
                           .verdicts = record.header.tag.note,
                           .from = from});
  apart.records.back().pack(std::move(body));
  apart.record_items += items;
  record.apart += items;
  record.is_apart = true;
}

/// At its share a customer adds what lay in the log, not what would come out of that.
bool PushExporter::add_unopened(WindowRecord& record, bodies::LogBody& body) {
  const disk_log::RecordHeader& header = record.header;
  // Read again since something else of its window could not be set aside: what is done is not done
  // twice.
  if (const auto known = settled_.find(header.position); known != settled_.end()) {
    record.dropped = known->second.dropped;
    record.apart = known->second.apart;
    record.is_damaged = known->second.is_damaged;
    return true;
  }
  if (held_ && held_->ways.count({record.customer.text(), record.signal}) > 0) {
    record.is_left = true;
    return true;
  }
  if (!lane_->is_followed(record.customer, record.signal) &&
      !queue_->is_at_share(record.customer) && !refusals_->is_spent(record.customer))
    return false;
  follow(record, std::move(body), {}, record.accepted);
  return true;
}

void PushExporter::add(std::uint32_t index, WindowRecord& record, bodies::LogBody&& body) {
  const disk_log::RecordHeader& header = record.header;
  delivery::Parcel& parcel = parcel_for(record);
  const std::size_t bytes_before = parcel.message.size();
  const std::size_t units_before = parcel.units.size();
  const auto packed =
      means_.packer->pack(index,
                          {header.items, header.rejected, header.tag.note, body.plain(),
                           delivery::RecordKey{header.position.segment, header.position.offset}},
                          {}, bytes_before + kRecordOutputMax, parcel);
  if (!packed) {
    // A body that cannot be packed leaves nothing half of it in the parcel.
    parcel.message.resize(bytes_before);
    parcel.units.resize(units_before);
    damage(record, body.plain(), packed.error().message);
    return;
  }
  if (packed->lost > 0) lose(record, packed->lost, body.plain());
  if (!packed->next) return;
  // What of the item under way went the front way is not counted there.
  if (packed->next->part > 0) record.settled_items.insert(packed->next->item);
  follow(record, std::move(body), *packed->next,
         record.accepted - std::min(record.accepted, packed->items));
}

/// Points that intake of another version took, and that have no series by the rules of this one.
void PushExporter::lose(WindowRecord& record, std::uint64_t items, std::string_view body) {
  record.dropped += items;
  set_aside({.customer = record.customer,
             .signal = record.signal,
             .time_ms = parts_.clock.wall_ms(),
             .why = fmt::format("{} points have no Prometheus form", items),
             .content = "an OTLP request as it was acknowledged",
             .message = body});
}

void PushExporter::give_up(WindowRecord& record, std::string_view body) {
  damage(record, body, "a fault of this program, see its log");
}

void PushExporter::damage(WindowRecord& record, std::string_view body, const std::string& why) {
  record.is_damaged = true;
  set_aside({.customer = record.customer,
             .signal = record.signal,
             .time_ms = parts_.clock.wall_ms(),
             .why = why,
             .content = "an OTLP request as it was acknowledged",
             .message = body});
}

bool PushExporter::is_full() const {
  std::size_t bytes = 0;
  for (const delivery::Parcel& parcel : parcels_) {
    bytes += parcel.message.size();
    if (parcel.units.size() >= delivery::Packer::kUnitsMax) return true;
  }
  return bytes >= kWindowOutputMax;
}

void PushExporter::set_aside(const delivery::DeadLetter& letter) {
  const std::lock_guard lock(mutex_);
  if (++letters_ > kLettersMax) return;
  const auto written = dead_letters_.write(letter);
  if (!written)
    service::log_error("a dead letter is lost",
                       {{"exporter", settings_.id}, {"error", written.error().message}});
}

bool PushExporter::deliver(std::vector<WindowRecord>& window) {
  window_in_hand_ = &window;
  std::erase_if(parcels_, [](const delivery::Parcel& parcel) { return parcel.units.empty(); });
  delivery::cut_in_shards(parcels_,
                          {push_.shards_max, push_.batch_bytes_max, answer_time_.estimate()},
                          [this](std::string_view unit) { return means_.packer->kind_of(unit); });
  bool is_done = delivery_.run(parcels_, *this);
  if (is_done) {
    // First what goes aside is durable, then the books and the cursor: a kill in between brings all
    // of the window again, and loses nothing of it.
    write_apart(window);
    settle(window);
    is_done = !held_;
  }
  window_in_hand_ = nullptr;
  // Before the cursor moves, so that a hole is there whatever happens next.
  if (is_done) note_losses(window);
  std::size_t letters = 0;
  {
    const std::lock_guard lock(mutex_);
    letters = std::exchange(letters_, 0);
  }
  if (letters > kLettersMax)
    service::log_warn("more was refused than is set aside",
                      {{"exporter", settings_.id},
                       {"refused", std::to_string(letters)},
                       {"set_aside", std::to_string(kLettersMax)}});
  return is_done;
}

void PushExporter::note_losses(const std::vector<WindowRecord>& window) {
  if (!means_.marks) return;
  marks::Losses losses;
  for (const WindowRecord& record : window) {
    if (record.is_damaged)
      losses.gone.insert(record.customer);
    else if (record.dropped > 0)
      losses.refused.insert(record.customer);
  }
  means_.marks->note_losses(losses);
}

/// What is left of it: it holds for the way aside as for this one.
Duration PushExporter::asked_wait(const Way& way) const {
  const auto asked = asked_until_.find(way);
  return asked == asked_until_.end() ? Duration::zero() : asked->second - parts_.clock.steady();
}

/// Of each customer and signal all or nothing, so that nothing lies there twice.
void PushExporter::write_apart(std::vector<WindowRecord>& window) {
  for (auto& [way, apart] : apart_) {
    side::SideEntry records{{.customer = apart.parcel.customer,
                             .signal = apart.parcel.signal,
                             .received_ms = apart.received_ms,
                             .items = apart.record_items},
                            {.customer = apart.parcel.customer},
                            std::move(apart.records)};
    side::SideEntry units{records.head, std::move(apart.parcel), {}};
    units.head.items = units.parcel.items();
    std::vector<side::SidePut> puts;
    if (!units.parcel.units.empty())
      puts.push_back({std::move(units), std::max(push_.retry_initial, asked_wait(way))});
    if (!records.records.empty()) puts.push_back({std::move(records)});
    const auto put = queue_->put_all(puts, true);
    if (!put) hold(way, window, put.error());
  }
  if (!apart_.empty()) lane_->wake();
}

void PushExporter::hold(const Way& way, std::vector<WindowRecord>& window, const Error& why) {
  for (WindowRecord& record : window) {
    if (record.is_apart && Way(record.customer.text(), record.signal) == way) record.is_left = true;
  }
  if (!held_) {
    // Once for a disk that is full for days.
    if (held_pause_ == Duration::zero())
      service::log_error(
          "what the destination does not take cannot be set aside; it stays in the log",
          {{"exporter", settings_.id}, {"customer_id", way.first}, {"error", why.message}});
    held_pause_ = std::clamp<Duration>(2 * held_pause_, kHeldPauseMin, kHeldPauseMax);
    held_.emplace(Held{{}, parts_.clock.steady() + held_pause_});
    side_is_full_.set(1);
  }
  held_->ways.insert(way);
}

/// What need not be done again when the log is read again from its cursor on.
void PushExporter::settle(const std::vector<WindowRecord>& window) {
  if (held_) {
    for (const WindowRecord& record : window) {
      if (!record.is_left)
        settled_[record.header.position] = {record.dropped, record.apart, record.is_damaged};
    }
    return;
  }
  settled_.erase(settled_.begin(), settled_.upper_bound(window.back().header.position));
  if (held_pause_ == Duration::zero()) return;
  held_pause_ = Duration::zero();
  side_is_full_.set(0);
  service::log_info("what was left in the log is sent or set aside", {{"exporter", settings_.id}});
}

bool PushExporter::reads_on() {
  if (!held_) return false;
  show_waiting();
  while (settled_.size() >= kSettledMax && !reader_.is_stopping() &&
         parts_.clock.steady() < held_->retry_at)
    std::this_thread::sleep_for(kHeldLook);
  if (parts_.clock.steady() < held_->retry_at) return true;
  held_.reset();
  return false;
}

void PushExporter::forget() {
  keep_room();
  parcels_.clear();
  parcel_of_.clear();
  apart_.clear();
  asked_until_.clear();
  window_in_hand_ = nullptr;
}

/// The largest parcel's room serves the next window, so that a busy exporter does not move what it
/// packs to larger and larger room each time. Room of which little was used is let go.
void PushExporter::keep_room() {
  const auto largest =
      std::max_element(parcels_.begin(), parcels_.end(),
                       [](const delivery::Parcel& left, const delivery::Parcel& right) {
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
  show_waiting();
  if (!means_.marks) return;
  const auto marked_ms = means_.marks->advance(
      {complete_until_ms, lost}, [this] { return queue_->oldest_by_customer(); },
      [this] { return go_on(); });
  if (marked_ms) evidence_->note_newest(*marked_ms);
}

void PushExporter::show_waiting() {
  const side::SideQueueStats side = queue_->stats();
  // Of the log alone: what lies aside is one customer's, and no sign that the destination is late.
  std::int64_t oldest_ms = 0;
  for (const disk_log::CursorStats& cursor : parts_.log.stats().cursors) {
    if (cursor.name != settings_.id || cursor.oldest_ms == 0) continue;
    oldest_ms = oldest_ms == 0 ? cursor.oldest_ms : std::min(oldest_ms, cursor.oldest_ms);
  }
  const std::int64_t now_ms = parts_.time.now_or_wall_ms();
  const auto age_s = [now_ms](std::int64_t since_ms) {
    return static_cast<double>(std::max<std::int64_t>(0, now_ms - since_ms)) / kSecondsToMs;
  };
  oldest_waiting_.set(oldest_ms == 0 ? 0 : age_s(oldest_ms));
  side_bytes_.set(static_cast<double>(side.bytes));
  side_items_.set(static_cast<double>(side.items));
  auto rooms = queue_->room_by_customer();
  std::map<CustomerId, double> ages_s;
  for (const auto& [customer, since_ms] : queue_->oldest_by_customer()) {
    ages_s.emplace(customer, age_s(since_ms));
  }
  const std::lock_guard lock(side_rooms_->mutex);
  side_rooms_->rooms = std::move(rooms);
  side_rooms_->ages_s = std::move(ages_s);
}

void PushExporter::wake(TimePoint deadline) {
  delivery_.set_stop_deadline(deadline);
  delivery_.wake();
}

void PushExporter::end(TimePoint deadline) noexcept {
  if (lane_) lane_->stop(deadline);
}

/// In the log: what lies aside waits for nobody.
bool PushExporter::others_wait(const std::set<CustomerId>& in_run) {
  auto queued = parts_.books.queued_by_customer(settings_.id);
  for (const CustomerId& customer : in_run) queued.erase(customer.text());
  const auto aside = queue_->items_by_customer();
  return std::any_of(queued.begin(), queued.end(), [&](const auto& entry) {
    const auto found = aside.find(entry.first);
    return entry.second > (found == aside.end() ? 0 : found->second);
  });
}

bool PushExporter::go_on() {
  return !reader_.is_stopping() && (window_in_hand_ == nullptr || !reader_.is_window_gone());
}

}  // namespace vigia::collector::exporters
