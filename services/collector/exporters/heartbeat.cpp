#include "services/collector/exporters/heartbeat.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "libs/pipeline/file_system.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/exporters/heartbeat_state.hpp"

namespace vigia::collector {
namespace {

DeliverySettings once() {
  DeliverySettings settings;
  settings.lane = Lane::kOnce;
  settings.in_flight_max = 1;
  return settings;
}

/// Notes whether all was taken.
class Outcome final : public DeliveryObserver {
 public:
  explicit Outcome(std::function<bool()> go_on) : go_on_(std::move(go_on)) {}
  void on_refused(const Parcel& /*parcel*/, std::size_t /*unit*/,
                  const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_rejected(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   std::uint64_t /*count*/, const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_set_aside(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                    Aside /*aside*/, const std::string& /*why*/) override {
    is_taken = false;
  }
  void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                 const Answer& /*answer*/, Duration /*took*/) override {}
  bool go_on() override { return go_on_(); }
  bool is_taken = true;

 private:
  std::function<bool()> go_on_;
};

}  // namespace

Heartbeat::Heartbeat(HeartbeatSettings settings, Transport& transport, const Clock& clock)
    : settings_(std::move(settings)), delivery_(once(), transport, clock), clock_(clock) {
  load();
}

void Heartbeat::make_hole() {
  hole_until_ = std::max(hole_until_, clock_.wall_ms() / kMinuteMs + kHoleMinutes);
}

void Heartbeat::note_loss() {
  const std::lock_guard lock(mutex_);
  const std::int64_t before = hole_until_;
  make_hole();
  if (hole_until_ != before) (void)save();
}

void Heartbeat::note_losses(const std::vector<CustomerId>& customers) {
  const std::lock_guard lock(mutex_);
  const std::int64_t until = clock_.wall_ms() / kMinuteMs + kHoleMinutes;
  bool is_new = false;
  for (const CustomerId& customer : customers) {
    std::int64_t& known = losses_[customer];
    is_new = is_new || known != until;
    known = until;
  }
  if (losses_.size() > kCustomersMax) {
    losses_.clear();
    make_hole();
  }
  if (is_new) (void)save();
}

/// The wall clock may be set back: what was written for later minutes says nothing of those that
/// come now, and a hole must not last for the whole step. How far the exporter is behind does not
/// matter here.
void Heartbeat::follow_clock() {
  const std::int64_t now = clock_.wall_ms() / kMinuteMs;
  last_minute_ = std::min(last_minute_, now);
  hole_until_ = std::min(hole_until_, now + kHoleMinutes);
  for (auto& [customer, until] : losses_) until = std::min(until, now + kHoleMinutes);
}

Heartbeat::Marks Heartbeat::due(std::int64_t complete_until_ms, std::uint64_t lost) {
  const std::lock_guard lock(mutex_);
  follow_clock();
  if (lost != lost_) {
    make_hole();
    lost_ = lost;
    (void)save();  // where it fails a restart finds the old number, and makes the hole again
    return {};
  }
  const std::int64_t minute = complete_until_ms / kMinuteMs;
  if (minute <= 0) return {};
  // A shard that was never marked begins with the current minute: nothing is known of before.
  const std::int64_t oldest = last_minute_ == 0 ? minute : minute - kMinutesMax;
  return {std::max({last_minute_ + 1, hole_until_ + 1, oldest}), minute};
}

Parcel Heartbeat::marks_of(const Marks& marks) const {
  const std::string labels = wire::remote_write::encode_labels(
      Labels::from({{std::string(kNameLabel), "vigia_hot_heartbeat"},
                    {"collector", settings_.collector},
                    {"shard", settings_.shard}}));
  Parcel parcel{.customer = CustomerId::provider()};
  for (std::int64_t mark = marks.first; mark <= marks.last; ++mark) {
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = mark * kMinuteMs});
    wire::remote_write::append_sample(parcel.message, labels, {mark * kMinuteMs, 1});
  }
  return parcel;
}

void Heartbeat::append_hole(Parcel& parcel, const CustomerId& customer, std::string_view kind,
                            const Sample& sample) const {
  const std::string labels =
      wire::remote_write::encode_labels(Labels::from({{std::string(kNameLabel), "vigia_hot_hole"},
                                                      {"collector", settings_.collector},
                                                      {"kind", std::string(kind)},
                                                      {"of_customer", customer.text()},
                                                      {"shard", settings_.shard}}));
  parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = sample.timestamp_ms});
  wire::remote_write::append_sample(parcel.message, labels, sample);
}

Parcel Heartbeat::holes_of(const Losses& losses, const Waiting& waiting,
                           std::int64_t minute) const {
  constexpr std::int64_t kMinuteSeconds = kMinuteMs / 1'000;
  const std::int64_t at_ms = minute * kMinuteMs;
  Parcel parcel{.customer = CustomerId::provider()};
  for (const auto& [customer, until] : losses) {
    append_hole(parcel, customer, "lost",
                {at_ms, static_cast<double>((until + 1) * kMinuteSeconds)});
  }
  for (const auto& [customer, received_ms] : waiting) {
    if (received_ms < at_ms - kGraceMs) append_hole(parcel, customer, "waiting", {at_ms, 1});
  }
  return parcel;
}

bool Heartbeat::write(Parcel parcel, const std::function<bool()>& go_on) {
  if (parcel.units.empty()) return true;
  Outcome outcome(go_on);
  return delivery_.run({std::move(parcel)}, outcome) && outcome.is_taken;
}

bool Heartbeat::advance(std::int64_t complete_until_ms, std::uint64_t lost, const Waiting& waiting,
                        std::function<bool()> go_on) {
  const bool are_too_many = waiting.size() > kCustomersMax;
  for (const auto& [customer, received_ms] : waiting) {
    if (are_too_many) complete_until_ms = std::min(complete_until_ms, received_ms);
  }
  const Marks marks = due(complete_until_ms, lost);
  if (marks.first > marks.last) return false;
  Losses losses;
  {
    const std::lock_guard lock(mutex_);
    losses = losses_;
  }
  // A mark speaks for all customers but those of whom a hole is there already.
  if (!write(holes_of(losses, are_too_many ? Waiting() : waiting, marks.last), go_on)) return false;
  if (!write(marks_of(marks), go_on)) return false;
  const std::lock_guard lock(mutex_);
  last_minute_ = marks.last;
  for (const auto& [customer, until] : losses) {
    const auto written = losses_.find(customer);
    if (written != losses_.end() && written->second == until) losses_.erase(written);
  }
  (void)save();
  return true;
}

/// A file that cannot be read may have told of a hole that lasts until now or for kHoleMinutes
/// more, of anybody: marks over it would show what was lost as whole.
void Heartbeat::load() {
  std::error_code unknown;
  if (!std::filesystem::exists(settings_.state_file, unknown) && !unknown) return;
  std::ifstream file(settings_.state_file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (auto state = read_heartbeat_state(text)) {
    last_minute_ = state->last_minute;
    lost_ = state->lost;
    hole_until_ = state->hole_until;
    losses_ = std::move(state->losses);
    return;
  }
  service::log_warn("the heartbeat's state is damaged: what was not marked yet is a hole",
                    {{"file", settings_.state_file}, {"shard", settings_.shard}});
  make_hole();
  last_minute_ = hole_until_ - kHoleMinutes;
  (void)save();  // where it fails the next start makes the hole again
}

/// Synced, since a hole that a power cut takes away would be shown as whole.
bool Heartbeat::save() const {
  pipeline::FileSystem& files = pipeline::system_files();
  const std::string folder = std::filesystem::path(settings_.state_file).parent_path().string();
  const std::string fresh = settings_.state_file + ".new";
  if (!files.create_directory(folder)) return false;
  const std::string text = write_heartbeat_state({last_minute_, lost_, hole_until_, losses_});
  auto file = files.create(fresh);
  return file && (*file)->append({text}) && (*file)->sync() &&
         files.rename(fresh, settings_.state_file) && files.sync_directory(folder);
}

}  // namespace vigia::collector
