// What the agent holds until the collector has acknowledged it: a disk log with a cap in bytes and
// age, the oldest dropped first and counted.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/agent/buffer/settings.hpp"

namespace vigia::agent::buffer {

inline constexpr std::array<Signal, 3> kSignals = {Signal::kMetrics, Signal::kTraces,
                                                   Signal::kLogs};

struct BufferStats {
  double usage_percent = 0;  ///< the fuller of bytes and age, 0 to 100
  std::uint64_t bytes = 0;   ///< not yet acknowledged, on disk
  std::uint64_t damaged_records = 0;
  bool is_damage_recent = false;  ///< DiskLogStats
  std::uint64_t clock_jumps = 0;  ///< by which nothing grew old
  bool is_full = false;           ///< the disk takes nothing at present
  std::uint64_t held_items = 0;   ///< the agent's own, in memory until the disk takes them
  std::uint64_t lost_items = 0;   ///< of these, gone since start for want of room
  /// Items dropped since start by reason: "too_old", "cap", "damaged".
  std::map<std::string, std::uint64_t, std::less<>> dropped;
};

/// Each signal is read by a cursor of its own, so that one that is not taken holds up no other.
/// Thread contract: any thread; a cursor's reading as libs/disk_log/disk_log.hpp says.
class Buffer {
  struct Private {};  // only open() makes one

 public:
  using Done = Task<void(const Result<void>&)>;

  Buffer(Private key, const BufferSettings& settings, CustomerId customer, const Clock& clock);

  /// kUnavailable, naming the folder, where another process holds it or it cannot be written.
  static Result<std::unique_ptr<Buffer>> open(
      const BufferSettings& settings, CustomerId customer, const Clock& clock,
      disk_log::FileSystem& files = disk_log::system_files());

  /// Takes an OTLP request over; `done` runs once it is on disk or refused (retryable), on a thread
  /// that must not be kept.
  void append(Signal signal, std::string body, std::uint32_t items, Done done);
  /// The same for metrics that the agent makes itself and that nobody would send again: while the
  /// disk takes nothing they are held in memory, kHeldBytesMax of them, and tried again with the
  /// next; the oldest go first.
  void append_own(std::string body, std::uint32_t items);
  Result<void> append_and_wait(Signal signal, std::string body, std::uint32_t items);

  disk_log::Cursor& cursor(Signal signal);
  BufferStats stats() const;

  static constexpr std::size_t kHeldBytesMax = 4U << 20U;

 private:
  struct Held {
    std::uint64_t number = 0;
    std::string body;
    std::uint32_t items = 0;
    bool is_under_way = false;
  };
  void make_room_for_held();
  void settle_held(std::uint64_t number, const Result<disk_log::RecordHeader>& kept);
  void count_drop(const disk_log::RecordHeader& header, std::string_view cursor,
                  disk_log::DropReason reason);
  disk_log::DiskRecord record(Signal signal, std::string body, std::uint32_t items) const;

  BufferSettings settings_;
  CustomerId customer_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> dropped_;  // guarded by mutex_
  std::deque<Held> held_;                                      // guarded by mutex_
  std::size_t held_bytes_ = 0;                                 // guarded by mutex_
  std::uint64_t last_held_ = 0;                                // guarded by mutex_
  std::uint64_t lost_items_ = 0;                               // guarded by mutex_
  bool is_holding_ = false;                 // guarded by mutex_; the disk has refused what is held
  std::unique_ptr<disk_log::DiskLog> log_;  // last: its threads call count_drop until it ends
};

}  // namespace vigia::agent::buffer
