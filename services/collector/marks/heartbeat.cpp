#include "services/collector/marks/heartbeat.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "libs/disk_log/file_system.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/marks/heartbeat_state.hpp"
#include "services/collector/marks/own_samples.hpp"

namespace vigia::collector::marks {
Heartbeat::Heartbeat(HeartbeatSettings settings, delivery::MessageTransport& transport,
                     const Clock& clock, clock::ConfirmedTime& time)
    : settings_(std::move(settings)),
      delivery_(own_samples_lane(), transport, clock),
      transport_(transport),
      clock_(clock),
      time_(time) {
  load();
  if (const auto now = time_.now()) time_changes_ = now->changes;
}

/// The last minute of a hole that begins now. While no time is known, later than any; `follow` cuts
/// it when one is.
std::int64_t Heartbeat::hole_end() {
  constexpr std::int64_t kLaterThanAny = std::int64_t{1} << 40U;
  const auto now = time_.now();
  return now ? now->ms / kMinuteMs + kHoleMinutes : kLaterThanAny;
}

void Heartbeat::make_hole() { hole_until_ = std::max(hole_until_, hole_end()); }

void Heartbeat::note_loss() {
  const std::lock_guard lock(mutex_);
  const std::int64_t before = hole_until_;
  make_hole();
  if (hole_until_ != before) (void)save();
}

void Heartbeat::note_losses(const std::vector<CustomerId>& customers) {
  const std::lock_guard lock(mutex_);
  const std::int64_t until = hole_end();
  bool is_new = false;
  for (const CustomerId& customer : customers) {
    std::int64_t& known = losses_[customer];
    is_new = is_new || known != until;
    known = until;
  }
  // The state must stay small: with so many a hole for all says as much.
  if (losses_.size() > kCustomersMax) {
    losses_.clear();
    make_hole();
  }
  if (is_new) (void)save();
}

/// Time may be set back: what was written for later minutes says nothing of those that come now (a
/// hole, since records may be stamped later than that), and a hole must not last for the whole
/// step. How far the exporter is behind does not matter here.
void Heartbeat::follow(const clock::ConfirmedTime::Now& now) {
  const std::int64_t minute = now.ms / kMinuteMs;
  last_minute_ = std::min(last_minute_, minute);
  hole_until_ = std::min(hole_until_, minute + kHoleMinutes);
  for (auto& [customer, until] : losses_) until = std::min(until, minute + kHoleMinutes);
}

Heartbeat::Marks Heartbeat::due(std::int64_t complete_until_ms, std::uint64_t lost) {
  const std::lock_guard lock(mutex_);
  const auto now = time_.now();
  const bool is_changed = now && std::exchange(time_changes_, now->changes) != now->changes;
  if (is_changed && last_minute_ > now->ms / kMinuteMs) make_hole();
  if (now) follow(*now);
  if (lost != lost_) {
    make_hole();
    lost_ = lost;
    (void)save();  // where it fails a restart finds the old number, and makes the hole again
    return {};
  }
  if (!now) {
    ask_time();
    return {};
  }
  if (is_changed) return {};  // how far it is complete was read by another time
  const std::int64_t minute = std::min(complete_until_ms, now->ms) / kMinuteMs;
  if (minute <= 0) return {};
  // A shard that was never marked begins with the current minute: nothing is known of before.
  const std::int64_t oldest = last_minute_ == 0 ? minute : minute - kMinutesMax;
  return {std::max({last_minute_ + 1, hole_until_ + 1, oldest}), minute};
}

/// A request with nothing in it; the answer's head has the shard's time.
void Heartbeat::ask_time() {
  const TimePoint now = clock_.steady();
  if (last_minute_ != 0 || (asked_time_ && now < *asked_time_ + kAskTimeInterval)) return;
  asked_time_ = now;
  transport_.send(CustomerId::provider(), Signal::kMetrics, "",
                  [&time = time_](delivery::Answer answer) {
                    if (answer.date_ms) time.compare(*answer.date_ms);
                  });
}

delivery::Parcel Heartbeat::marks_of(const Marks& marks) const {
  const std::string labels = wire::remote_write::encode_labels(
      Labels::from({{std::string(kNameLabel), "vigia_hot_heartbeat"},
                    {"collector", settings_.collector},
                    {"shard", settings_.shard}}));
  delivery::Parcel parcel{.customer = CustomerId::provider()};
  for (std::int64_t mark = marks.first; mark <= marks.last; ++mark) {
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = mark * kMinuteMs});
    wire::remote_write::append_sample(parcel.message, labels, {mark * kMinuteMs, 1});
  }
  return parcel;
}

void Heartbeat::append_hole(delivery::Parcel& parcel, const CustomerId& customer,
                            std::string_view kind, const Sample& sample) const {
  const std::string labels =
      wire::remote_write::encode_labels(Labels::from({{std::string(kNameLabel), "vigia_hot_hole"},
                                                      {"collector", settings_.collector},
                                                      {"kind", std::string(kind)},
                                                      {"of_customer", customer.text()},
                                                      {"shard", settings_.shard}}));
  parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = sample.timestamp_ms});
  wire::remote_write::append_sample(parcel.message, labels, sample);
}

delivery::Parcel Heartbeat::holes_of(const Losses& losses, const Waiting& waiting,
                                     std::int64_t minute) const {
  constexpr std::int64_t kMinuteSeconds = kMinuteMs / 1'000;
  const std::int64_t at_ms = minute * kMinuteMs;
  delivery::Parcel parcel{.customer = CustomerId::provider()};
  for (const auto& [customer, until] : losses) {
    append_hole(parcel, customer, "lost",
                {at_ms, static_cast<double>((until + 1) * kMinuteSeconds)});
  }
  // What the log has given until now was received within the mark's minute at the latest; later is
  // by a clock that was wrong, and may be from any time.
  const auto is_of_now = [at_ms](std::int64_t received_ms) {
    return received_ms >= at_ms - kGraceMs && received_ms <= at_ms + kMinuteMs + kGraceMs;
  };
  for (const auto& [customer, received_ms] : waiting) {
    if (!is_of_now(received_ms)) append_hole(parcel, customer, "waiting", {at_ms, 1});
  }
  return parcel;
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
    // A copy: sending may take long, and losses that come meanwhile are of the next mark.
    losses = losses_;
  }
  // A mark speaks for all customers but those of whom a hole is there already.
  delivery::Parcel holes = holes_of(losses, are_too_many ? Waiting() : waiting, marks.last);
  // Holes before marks: a kill in between leaves minutes without a mark, which is safe; the other
  // way round they would be shown as whole.
  if (!write_own_samples(delivery_, std::move(holes), go_on)) return false;
  if (!write_own_samples(delivery_, marks_of(marks), go_on)) return false;
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
    time_.resume(last_minute_ * kMinuteMs);
    lost_ = state->lost;
    hole_until_ = state->hole_until;
    losses_ = std::move(state->losses);
    return;
  }
  service::log_warn("the heartbeat's state is damaged: what was not marked yet is a hole",
                    {{"file", settings_.state_file}, {"shard", settings_.shard}});
  make_hole();
  // Of now; where that is not known, it is cut when it is.
  last_minute_ = hole_until_ - kHoleMinutes;
  (void)save();  // where it fails the next start makes the hole again
}

/// Synced, since a hole that a power cut takes away would be shown as whole.
bool Heartbeat::save() const {
  disk_log::FileSystem& files = disk_log::system_files();
  const std::string folder = std::filesystem::path(settings_.state_file).parent_path().string();
  const std::string fresh = settings_.state_file + ".new";
  if (!files.create_directory(folder)) return false;
  const std::string text = write_heartbeat_state({last_minute_, lost_, hole_until_, losses_});
  auto file = files.create(fresh);
  return file && (*file)->append({text}) && (*file)->sync() &&
         files.rename(fresh, settings_.state_file) && files.sync_directory(folder);
}

}  // namespace vigia::collector::marks
