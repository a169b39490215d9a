// The newest records of the disk log, plain and in memory: a reader that keeps up needs neither the
// disk nor LZ4.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {

/// Holds what is durable until each reader has taken it once, and of it the newest; what is gone is
/// read from the disk. What is on its way there and what readers have in hand counts as held, so
/// that all together never is more than the bound. Thread contract: any thread.
class RecentRecords {
 public:
  using Body = std::shared_ptr<const std::string>;

  /// `bytes_max` 0: nothing is held.
  RecentRecords(std::uint64_t bytes_max, std::size_t readers);

  /// The plain body of a record that is on its way to the disk, taken over where there is room for
  /// it; the oldest records are let go for it. Null: there is none, and the body is untouched.
  Body hold(const RecordTag& tag, std::string& body);
  /// The record is durable. In the order of positions.
  void put(const RecordHeader& header, Body body);
  /// The record that begins there.
  std::optional<DiskRecord> take(LogPosition position);

  /// Of all that no reader has in hand.
  void let_go();

  std::uint64_t held_bytes() const { return *held_; }  ///< by whomever

 private:
  struct Entry {
    RecordHeader header;
    Body body;
    std::size_t readers_left = 0;
  };
  static std::uint64_t bytes_of(const RecordTag& tag, const std::string& body);
  /// Lets go of the oldest until so many bytes more fit. REQUIRES: mutex_ is held.
  bool make_room(std::uint64_t bytes);

  const std::uint64_t bytes_max_;
  const std::size_t readers_;
  /// Shared with the bodies, which may outlive this in a reader's hand.
  std::shared_ptr<std::atomic<std::uint64_t>> held_;
  std::mutex mutex_;
  std::deque<Entry> entries_;  // by position
};

}  // namespace vigia::disk_log
