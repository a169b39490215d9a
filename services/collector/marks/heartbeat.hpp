// The mark by which the router knows that a hot shard has no hole: one sample of
// vigia_hot_heartbeat{shard="…",collector="…"} for each full minute up to which everything was
// delivered, but for what vigia_hot_hole{…,of_customer="…",kind="…"} says of single customers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/sample.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::marks {

struct HeartbeatSettings {
  std::string shard;
  std::string collector;  ///< id of this collector, one of several that may write to the shard
  std::string state_file;
};

/// A minute's sample says that all data that this collector received before it is in the shard.
/// While the shard is down, or something waits in the side queue, the minutes wait and are written
/// afterwards; where data was given up, by the log or because the shard refuses it, kHoleMinutes
/// from then on are left out, so that the hole shows. Kept in a small file with the losses of the
/// log that have made a hole, so that a restart leaves no hole, and what the log drops while no
/// exporter runs makes one.
///
/// What is known to be one customer's makes no hole in the marks, which are everybody's, but is
/// written before the next of them, at its minute: `kind="lost"` has the second since when all is
/// there again, `kind="waiting"` is 1 at each mark more than kGraceMs before which something that
/// waits aside was received, or so far after its minute that a wrong clock has said so. Of more
/// than kCustomersMax customers at once it is everybody's hole after all.
///
/// Minutes are of the confirmed time, never of the wall clock alone: before there is one nothing is
/// written, and a hole made then lasts until kHoleMinutes after there is one. A shard of which no
/// earlier run knows is asked for its own time. Thread contract: advance from one thread, the rest
/// from any.
class Heartbeat {
 public:
  using Waiting = std::map<CustomerId, std::int64_t>;  // ms since 1970

  Heartbeat(HeartbeatSettings settings, delivery::MessageTransport& transport, const Clock& clock,
            clock::ConfirmedTime& time);
  /// Writes the minutes that have become complete, with one request. A failure is tried again at
  /// the next call. `lost` is the cursor's (disk_log::Cursor::lost): where it has changed since the
  /// last hole, there is a new one. `waiting`: when the oldest was received of what waits aside,
  /// by customer. True where the shard has taken a mark.
  bool advance(std::int64_t complete_until_ms, std::uint64_t lost, const Waiting& waiting,
               std::function<bool()> go_on);
  /// Data of the shard was given up, nobody knows whose: a hole, on disk when this returns. Before
  /// the last trace of the data goes.
  void note_loss();
  /// The same of these customers' data.
  void note_losses(const std::vector<CustomerId>& customers);

  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kHoleMinutes = 5;
  /// Minutes written afterwards at most; before them a hole stays.
  static constexpr std::int64_t kMinutesMax = 24 * 60;
  static constexpr std::size_t kCustomersMax = 1'000;
  static constexpr auto kAskTimeInterval = std::chrono::seconds(5);
  /// Marks may be so late without anybody taking it for a hole, and so may what waits aside.
  static constexpr std::int64_t kGraceMs = kMinuteMs;

 private:
  struct Marks {
    std::int64_t first = 0, last = -1;  // minutes; none where first > last
  };

  void load();
  bool save() const;
  std::int64_t hole_end();
  void make_hole();
  void follow(const clock::ConfirmedTime::Now& now);
  Marks due(std::int64_t complete_until_ms, std::uint64_t lost);
  void ask_time();
  delivery::Parcel marks_of(const Marks& marks) const;
  using Losses = std::map<CustomerId, std::int64_t>;  // the last minute of each hole
  delivery::Parcel holes_of(const Losses& losses, const Waiting& waiting,
                            std::int64_t minute) const;
  void append_hole(delivery::Parcel& parcel, const CustomerId& customer, std::string_view kind,
                   const Sample& sample) const;

  const HeartbeatSettings settings_;
  delivery::ParcelDelivery delivery_;
  delivery::MessageTransport& transport_;
  const Clock& clock_;
  clock::ConfirmedTime& time_;
  std::mutex mutex_;
  std::uint64_t time_changes_ = 0;
  std::optional<TimePoint> asked_time_;
  std::int64_t last_minute_ = 0;  // written last; 0: none yet
  std::int64_t hole_until_ = 0;   // no minute up to this one is written any more
  std::uint64_t lost_ = 0;        // of the log's, a hole stands for these
  Losses losses_;                 // not written yet
};

}  // namespace vigia::collector::marks
