// Over which partitions it lies what would be too much for one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/storage/store/cassandra/requests.hpp"
#include "services/storage/store/cassandra/series_identity.hpp"

namespace vigia::storage::store::cassandra {

/// Bytes that this instance has written to partitions lately, never too few: counted by a hash, and
/// partitions of one hash together. So it needs no memory for each of them, and nobody makes it
/// forget one by writing many others. Thread contract: any thread.
class WrittenBytes {
 public:
  /// Must outlive it.
  explicit WrittenBytes(const Clock& clock);
  /// Of the partition, with `bytes` more. `partition`: a hash of its key.
  std::uint64_t add(std::uint64_t partition, std::size_t bytes);

 private:
  static constexpr std::size_t kCounters = 1U << 16U;

  const Clock& clock_;
  std::mutex reset_mutex_;
  std::atomic<TimePoint> next_reset_;
  std::vector<std::atomic<std::uint64_t>> counters_;
};

/// What lies in parts; numbers stand in the column `kind`.
enum class PlaceKind : std::int8_t {
  kSpanBlocks = 1,
  kTraceIds = 2,
  kSpanNames = 3,
  kLogRows = 4,
  kLogTimes = 5,
  kLogStreams = 6,
  kTraceSpans = 7,
  kLabelValues = 8
};

/// What is filed together.
struct EventPlace {
  PlaceKind kind;
  std::uint32_t day = 0;
  std::string_view name{};  ///< of a service, as bytes of a key; "": none
  std::int32_t slot = 0;
};

struct PlacedPart {
  std::int32_t slot = 0;
  Shard shard;
  auto operator<=>(const PlacedPart&) const = default;
};

/// Rows that need not be written again, by the hash of their keys: those of a day, and some hundred
/// thousand, then it begins anew. Thread contract: any thread.
class NotedRows {
 public:
  /// Must outlive it.
  explicit NotedRows(const Clock& clock) : clock_(clock) {}
  bool has(std::uint64_t row) const;
  /// Once they are durable.
  void add(const std::vector<std::uint64_t>& rows);

 private:
  static constexpr std::size_t kRowsMax = 200'000;

  const Clock& clock_;
  mutable std::mutex mutex_;
  TimePoint begun_{};
  std::unordered_set<std::uint64_t> rows_;
};

/// Of what one instance writes in a day; several instances, and some starts of each, stay below the
/// 100 MB that a partition should not pass.
inline constexpr std::size_t kEventPartBytes = 8U << 20U;

/// Where a part is full, what follows lies in twice as many. Thread contract: any thread once
/// prepared.
class EventPlaces {
 public:
  /// Both must outlive it.
  EventPlaces(vigia::cassandra::Session& session, const Clock& clock, std::size_t part_bytes);
  Result<void> prepare(Preparation& preparation);

  /// Where what is written now goes, which has so many bytes; `hash` tells what is filed at one
  /// place apart.
  Shard shard_for(const CustomerId& customer, const EventPlace& place, std::uint64_t hash,
                  std::size_t bytes);
  /// The one of `parts` in which it lies.
  Shard part_of(std::uint64_t hash, std::int32_t parts) const;
  /// Adds what makes readers find it, where it is not known to be there; `noted` gets what is to be
  /// noted once all of `requests` have been answered well.
  void write(const CustomerId& customer, const EventPlace& place, Shard shard,
             std::int32_t live_seconds, Requests& requests, std::vector<std::uint64_t>& noted);
  /// Parts of the slots, both included, in order.
  /// `limit`: as Rows'.
  Result<std::vector<PlacedPart>> list(const CustomerId& customer, const EventPlace& place,
                                       std::int32_t last_slot, const WorkLimit* limit = nullptr);

  NotedRows& noted() { return noted_; }
  /// Of a row's key, other in each process.
  std::uint64_t hash_of(std::string_view key) const;

 private:
  std::uint64_t hash_of(const CustomerId& customer, const EventPlace& place) const;

  vigia::cassandra::Session& session_;
  const std::size_t part_bytes_;
  const std::uint64_t seed_;
  WrittenBytes written_;
  NotedRows noted_;
  Statement write_;
  Statement list_;
};

}  // namespace vigia::storage::store::cassandra
