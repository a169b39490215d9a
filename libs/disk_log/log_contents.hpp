// Whose records lie in the disk log: sums by segment, and how much of the log each owner holds.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {

/// What the records of one owner, kind and route have in common, and their sums.
struct RecordSums {
  std::string owner;
  std::uint8_t kind = 0;
  std::string route;
  std::uint64_t records = 0;
  std::uint64_t items = 0;
  std::uint64_t rejected = 0;
  std::uint64_t bytes = 0;  ///< on disk
};

/// How much of each sort (owner, kind and route) every segment holds. It is kept in memory, so
/// that what cannot be read any more can still be counted. A segment and sort take some 60 bytes, a
/// sort 150: 40 MiB for a log of 640 segments that each hold the data of 1,000 owners.
///
/// An owner's share: once more than half of the log is held for required cursors, one owner
/// may hold no more than `owner_share` of bytes_max. In the last quarter that share shrinks with
/// the room that is left, so that there is always some for an owner who holds little. A segment
/// counts until every required cursor has passed all of it: only then its room on disk comes back.
/// The segment that is written to counts whole.
///
/// Thread contract: any thread; one mutex inside, held for no disk access.
class LogContents {
 public:
  /// `owner_word`: what an owner is called in a refusal.
  LogContents(std::uint64_t bytes_max, double owner_share, std::string owner_word);

  /// Before an append is queued. kOverLimit where the owner is over its share.
  Result<void> reserve(const std::string& owner, std::uint64_t bytes);
  /// The same whatever the owner's share.
  void reserve_anyway(const std::string& owner, std::uint64_t bytes);
  /// Whether any more would be refused; nothing is reserved.
  Result<void> check_share(const std::string& owner) const;
  /// What was reserved is not written.
  void release(const std::string& owner, std::uint64_t bytes);
  /// Of the owner, queued and not yet written.
  std::uint64_t reserved(const std::string& owner) const;
  /// What was reserved is durable, at header.position.
  void keep(const RecordHeader& header);
  /// A record that lies in the log at the start.
  void recover(const RecordHeader& header);

  /// Required cursors have passed every segment before this one.
  void pass(std::uint64_t first_held);
  /// The segment is gone from the disk.
  void forget(std::uint64_t segment);

  std::vector<RecordSums> of_segment(std::uint64_t segment) const;
  std::vector<OwnerBytes> held_by_owner() const;
  /// Sorts that the log knows: no more than lie in its segments.
  std::size_t sorts() const;

 private:
  struct Sums {
    std::uint64_t records = 0, items = 0, rejected = 0, bytes = 0;
  };
  struct Sort {
    std::string owner;
    std::uint8_t kind = 0;
    std::string route;
    auto operator<=>(const Sort&) const = default;
  };
  struct Held {
    std::uint64_t reserved = 0;
    std::uint64_t kept = 0;
  };
  using Sorts = std::map<Sort, std::size_t>;  // with the number of segments that have it
  using Segment = std::unordered_map<Sorts::value_type*, Sums>;

  void add(const RecordHeader& header);
  void drop_if_empty(const std::string& owner);
  std::uint64_t share_now() const;
  Result<void> ask(const std::string& owner, std::uint64_t own, std::uint64_t bytes) const;

  const std::uint64_t bytes_max_;
  const double owner_share_;
  const std::string owner_word_;
  mutable std::mutex mutex_;  // guards all below
  Sorts sorts_;               // those that some segment has
  std::map<std::uint64_t, Segment> segments_;
  std::uint64_t first_held_ = 0;
  std::map<std::string, Held> held_;
  std::uint64_t held_bytes_ = 0;  // of all owners, what is reserved among it
};

}  // namespace vigia::disk_log
