#include "services/collector/marks/cold_holes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "libs/disk_log/file_system.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/marks/heartbeat_state.hpp"
#include "services/collector/marks/own_samples.hpp"

namespace vigia::collector::marks {
namespace {

constexpr std::int64_t kMinuteSeconds = 60;

}  // namespace

ColdHoles::ColdHoles(ColdHolesSettings settings, delivery::MessageTransport& transport,
                     const Clock& clock, clock::ConfirmedTime& time)
    : settings_(std::move(settings)), delivery_(own_samples_lane(), transport, clock), time_(time) {
  load();
}

/// What the log lost while no run kept count cannot be placed in time.
bool ColdHoles::note_progress(std::int64_t complete_until_ms, std::uint64_t lost,
                              std::int64_t now_ms) {
  bool is_changed = false;
  if (lost_ && *lost_ != lost) begin_ = std::min(begin_.value_or(last_minute_), last_minute_);
  if (lost_ != lost) is_changed = true;
  lost_ = lost;
  const bool is_told = !begin_ && begins_.empty();
  const std::int64_t minute = std::min(complete_until_ms, now_ms) / kMinuteMs;
  if (!is_told || minute == last_minute_) return is_changed;
  last_minute_ = minute;  // or earlier, where time was set back
  return true;
}

void ColdHoles::note_loss() {
  const std::lock_guard lock(mutex_);
  begin_ = std::min(begin_.value_or(last_minute_), last_minute_);
  save();
}

void ColdHoles::note_losses(const std::vector<CustomerId>& customers) {
  const std::lock_guard lock(mutex_);
  // The earliest begin stays: a hole that is not yet written grows at its end alone.
  for (const CustomerId& customer : customers) begins_.try_emplace(customer, last_minute_);
  if (begins_.size() > kCustomersMax) {
    for (const auto& [customer, begin] : begins_) begin_ = std::min(begin_.value_or(begin), begin);
    begins_.clear();
  }
  save();
}

void ColdHoles::advance(std::int64_t complete_until_ms, std::uint64_t lost,
                        std::function<bool()> go_on) {
  const auto now = time_.now();
  std::optional<std::int64_t> all;
  Begins customers;
  {
    const std::lock_guard lock(mutex_);
    // Before a time is known nothing is complete until any; a loss is noted all the same.
    if (note_progress(now ? complete_until_ms : 0, lost, now ? now->ms : 0)) save();
    all = begin_;
    customers = begins_;
  }
  if (!now || (!all && customers.empty())) return;
  if (!write(all, customers, now->ms, std::move(go_on))) return;
  const std::lock_guard lock(mutex_);
  // What was noted while this was sent stays for the next time.
  if (begin_ == all) begin_.reset();
  for (const auto& [customer, begin] : customers) begins_.erase(customer);
  save();
}

bool ColdHoles::write(const std::optional<std::int64_t>& all, const Begins& customers,
                      std::int64_t now_ms, std::function<bool()> go_on) {
  delivery::Parcel parcel{.customer = CustomerId::provider()};
  const auto append = [&](std::string_view customer, std::int64_t begin) {
    const std::int64_t unknown = now_ms / kMinuteMs - kUnknownMinutes;
    const std::int64_t minute = std::min(begin == 0 ? unknown : begin, now_ms / kMinuteMs);
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{std::string(kNameLabel), "vigia_cold_hole"},
                      {"collector", settings_.collector},
                      {"of_customer", std::string(customer)}}));
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = now_ms});
    const auto seconds = static_cast<double>(minute * kMinuteSeconds);
    wire::remote_write::append_sample(parcel.message, labels, {now_ms, seconds});
  };
  if (all) append("", *all);
  for (const auto& [customer, begin] : customers) append(customer.text(), begin);
  return write_own_samples(delivery_, std::move(parcel), go_on);
}

/// A state that cannot be read may have told of a hole.
void ColdHoles::load() {
  std::error_code unknown;
  if (!std::filesystem::exists(settings_.state_file, unknown) && !unknown) return;
  std::ifstream file(settings_.state_file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto state = read_heartbeat_state(text);
  if (!state) {
    service::log_warn(
        "what a store lacks is not known, the file is damaged: the last day counts as incomplete",
        {{"file", settings_.state_file}});
    begin_ = 0;
    return;
  }
  last_minute_ = state->last_minute;
  time_.resume(last_minute_ * kMinuteMs);
  lost_ = state->lost;
  // The file is the heartbeat's, whose 0 means none; a begin of 0 is one here, so it lies one
  // higher.
  if (state->hole_until != 0) begin_ = state->hole_until - 1;
  begins_ = state->losses;
}

/// Where it fails, the next call does it; a restart before finds the old number of losses and makes
/// the hole again.
void ColdHoles::save() const {
  if (!lost_) return;  // as long as nobody has said how many there were, the next run asks anew
  disk_log::FileSystem& files = disk_log::system_files();
  const std::string folder = std::filesystem::path(settings_.state_file).parent_path().string();
  const std::string fresh = settings_.state_file + ".new";
  if (!files.create_directory(folder)) return;
  HeartbeatState state{last_minute_, *lost_, begin_ ? *begin_ + 1 : 0, begins_};
  auto file = files.create(fresh);
  if (file && (*file)->append({write_heartbeat_state(state)}) && (*file)->sync() &&
      files.rename(fresh, settings_.state_file)) {
    (void)files.sync_directory(folder);
  }
}

}  // namespace vigia::collector::marks
