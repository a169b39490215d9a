// What a store that is no hot shard will never get, because the log has lost it: told to the store
// itself, vigia_cold_hole{collector="…",of_customer="…"}, so that whoever reads that time of it
// learns of it for as long as it is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::marks {

struct ColdHolesSettings {
  std::string collector;   ///< id of this collector
  std::string state_file;  ///< docs/formats/heartbeat.md
};

/// A sample at time T with the value B, in seconds: of what was received from B on until T,
/// something is missing, of the customer, of anybody where `of_customer` is missing. Kept on disk
/// until the store has taken it. Times are confirmed ones: nothing is written before there is one.
/// Thread contract: advance from one thread, the rest from any.
class ColdHoles {
 public:
  ColdHoles(ColdHolesSettings settings, delivery::MessageTransport& transport, const Clock& clock,
            clock::ConfirmedTime& time);
  /// All received before `complete_until_ms` is in the store, but for what the log has lost;
  /// `lost` is the cursor's (disk_log::Cursor::lost): where it has grown there is a hole. Writes
  /// what is not written yet; a failure is tried again at the next call.
  void advance(std::int64_t complete_until_ms, std::uint64_t lost, std::function<bool()> go_on);
  /// Something was given up that nobody can say anything of: on disk when this returns.
  void note_loss();
  /// Records of these customers could not be read: on disk when this returns.
  void note_losses(const std::vector<CustomerId>& customers);

  static constexpr std::int64_t kMinuteMs = 60'000;
  /// Before now, where nobody knows when the hole began.
  static constexpr std::int64_t kUnknownMinutes = 24 * 60;
  static constexpr std::size_t kCustomersMax = 1'000;

 private:
  void load();
  void save() const;
  /// In minutes; 0: nobody knows.
  using Begins = std::map<CustomerId, std::int64_t>;
  bool note_progress(std::int64_t complete_until_ms, std::uint64_t lost, std::int64_t now_ms);
  bool write(const std::optional<std::int64_t>& all, const Begins& customers, std::int64_t now_ms,
             std::function<bool()> go_on);

  const ColdHolesSettings settings_;
  delivery::ParcelDelivery delivery_;
  clock::ConfirmedTime& time_;
  std::mutex mutex_;
  std::int64_t last_minute_ = 0;       // until which all is there; 0: not known
  std::optional<std::uint64_t> lost_;  // nothing where no run before has kept count
  std::optional<std::int64_t> begin_;  // of a hole of everybody's that is not written yet
  Begins begins_;                      // the same of single customers
};

}  // namespace vigia::collector::marks
