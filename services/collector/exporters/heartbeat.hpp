// The mark by which the router knows that a hot shard has no hole: one sample of
// vigia_hot_heartbeat{shard="…"} for each full minute up to which everything was delivered.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/clock.hpp"
#include "services/collector/exporters/delivery.hpp"
#include "services/collector/exporters/parcel.hpp"

namespace vigia::collector {

/// A minute's sample says that all data received before it is in the shard. While the shard is down
/// the minutes wait and are written afterwards; where the log had to drop data, kHoleMinutes are
/// left out, so that the hole shows. Kept in a small file with the losses that have made a hole, so
/// that a restart leaves no hole, and what the log drops while no exporter runs makes one.
/// Thread contract: one thread.
class Heartbeat {
 public:
  Heartbeat(std::string shard, std::string state_file, Transport& transport, const Clock& clock);
  /// Writes the minutes that have become complete. A failure is tried again at the next call.
  /// `lost` is the cursor's (pipeline::Cursor::lost): where it has changed since the last hole,
  /// there is a new one. `go_on` as in DeliveryObserver. True where the shard has taken a mark.
  bool advance(std::int64_t complete_until_ms, std::uint64_t lost, DeliveryObserver& observer);

  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kHoleMinutes = 5;
  /// Minutes written afterwards at most; before them a hole stays.
  static constexpr std::int64_t kMinutesMax = 24 * 60;

 private:
  void load();
  bool save() const;

  std::string shard_;
  std::string state_file_;
  Delivery delivery_;
  const Clock& clock_;
  std::int64_t last_minute_ = 0;  // written last; 0: none yet
  std::uint64_t lost_ = 0;        // a hole stands for these
};

}  // namespace vigia::collector
