#include "services/collector/exporters/heartbeat.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "libs/pipeline/file_system.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector {
namespace {

DeliverySettings settings() {
  DeliverySettings settings;
  settings.in_flight_max = 1;
  return settings;
}

}  // namespace

Heartbeat::Heartbeat(std::string shard, std::string state_file, Transport& transport,
                     const Clock& clock)
    : shard_(std::move(shard)),
      state_file_(std::move(state_file)),
      delivery_(settings(), transport, clock),
      clock_(clock) {
  load();
}

bool Heartbeat::advance(std::int64_t complete_until_ms, std::uint64_t lost,
                        DeliveryObserver& observer) {
  const std::int64_t minute = complete_until_ms / kMinuteMs;
  if (last_minute_ > minute + kHoleMinutes + 1) last_minute_ = 0;  // the clock was set back
  if (lost != lost_) {
    last_minute_ = std::max(last_minute_, clock_.wall_ms() / kMinuteMs) + kHoleMinutes;
    lost_ = lost;
    (void)save();  // where it fails a restart finds the old number, and makes the hole again
    return false;
  }
  // A shard that was never marked begins with the current minute: nothing is known of before.
  const std::int64_t oldest = last_minute_ == 0 ? minute : minute - kMinutesMax;
  const std::int64_t first = std::max(last_minute_ + 1, oldest);
  if (first > minute || minute <= 0) return false;
  const std::string labels = wire::remote_write::encode_labels(
      Labels::from({{std::string(kNameLabel), "vigia_hot_heartbeat"}, {"shard", shard_}}));
  Parcel parcel{.customer = CustomerId::provider()};
  for (std::int64_t mark = first; mark <= minute; ++mark) {
    parcel.units.push_back({.begin = parcel.message.size(), .timestamp_ms = mark * kMinuteMs});
    wire::remote_write::append_sample(parcel.message, labels, {mark * kMinuteMs, 1});
  }
  if (!delivery_.run({parcel}, observer)) return false;
  last_minute_ = minute;
  (void)save();
  return true;
}

void Heartbeat::load() {
  std::ifstream file(state_file_);
  file >> last_minute_;
  if (!file) last_minute_ = 0;
  file >> lost_;
  if (!file) lost_ = 0;  // written before losses were: none had been kept
}

/// Synced, since a hole that a power cut takes away would be shown as whole.
bool Heartbeat::save() const {
  pipeline::FileSystem& files = pipeline::system_files();
  const std::string folder = std::filesystem::path(state_file_).parent_path().string();
  const std::string fresh = state_file_ + ".new";
  if (!files.create_directory(folder)) return false;
  auto file = files.create(fresh);
  return file && (*file)->append({fmt::format("{} {}\n", last_minute_, lost_)}) &&
         (*file)->sync() && files.rename(fresh, state_file_) && files.sync_directory(folder);
}

}  // namespace vigia::collector
