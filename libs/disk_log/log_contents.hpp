// Whose records lie in the disk log: sums by segment, and how much of the log each customer holds.
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
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"

namespace vigia::disk_log {

/// What the records of one customer, signal and route have in common, and their sums.
struct RecordSums {
  CustomerId customer;
  Signal signal = Signal::kMetrics;
  std::string route;
  std::uint64_t records = 0;
  std::uint64_t items = 0;
  std::uint64_t rejected = 0;
  std::uint64_t bytes = 0;  ///< on disk
};

/// How much of each kind (customer, signal and route) every segment holds. It is kept in memory, so
/// that what cannot be read any more can still be counted. A segment and kind take some 60 bytes, a
/// kind 150: 40 MiB for a log of 640 segments that each hold the data of 1,000 customers.
///
/// A customer's share: once more than half of the log is held for required cursors, one customer
/// may hold no more than `owner_share` of bytes_max. In the last quarter that share shrinks with
/// the room that is left, so that there is always some for a customer who holds little. A segment
/// counts until every required cursor has passed all of it: only then its room on disk comes back.
/// The segment that is written to counts whole.
///
/// Thread contract: any thread; one mutex inside, held for no disk access.
class LogContents {
 public:
  /// `owner_word`: what an owner is called in a refusal.
  LogContents(std::uint64_t bytes_max, double owner_share, std::string owner_word);

  /// Before an append is queued. kOverLimit where the customer is over its share.
  Result<void> reserve(const CustomerId& customer, std::uint64_t bytes);
  /// What was reserved is not written.
  void release(const CustomerId& customer, std::uint64_t bytes);
  /// Queued by the customer and not yet written.
  std::uint64_t reserved(const CustomerId& customer) const;
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
  /// Customers, signals and routes that the log knows: no more than lie in its segments.
  std::size_t kinds() const;

 private:
  struct Sums {
    std::uint64_t records = 0, items = 0, rejected = 0, bytes = 0;
  };
  struct Kind {
    CustomerId customer;
    Signal signal = Signal::kMetrics;
    std::string route;
    auto operator<=>(const Kind&) const = default;
  };
  struct Held {
    std::uint64_t reserved = 0;
    std::uint64_t kept = 0;
  };
  using Kinds = std::map<Kind, std::size_t>;  // with the number of segments that have it
  using Segment = std::unordered_map<Kinds::value_type*, Sums>;

  void add(const RecordHeader& header);
  void drop_if_empty(const CustomerId& customer);
  std::uint64_t share_now() const;

  const std::uint64_t bytes_max_;
  const double owner_share_;
  const std::string owner_word_;
  mutable std::mutex mutex_;  // guards all below
  Kinds kinds_;               // those that some segment has
  std::map<std::uint64_t, Segment> segments_;
  std::uint64_t first_held_ = 0;
  std::map<CustomerId, Held> held_;
  std::uint64_t held_bytes_ = 0;  // of all customers, what is reserved among it
};

}  // namespace vigia::disk_log
