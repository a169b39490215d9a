// What the log records of a batch are found by: of each stream when it has some. It only says where
// to look: the records themselves decide. Format: docs/formats/cold-store.md, "Finding log
// records".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store::rocksdb::events::log_block {

/// Of times: 17.2 s each. A block holds times of one alone.
inline constexpr unsigned kBucketBits = 34;
/// A bucket's times are told apart to 16.4 µs: finer they cost more than what others log meanwhile.
inline constexpr unsigned kSlotBits = 14;
inline constexpr std::uint32_t kSlots = 1U << (kBucketBits - kSlotBits);
/// Of streams: the first bits of a hash. Two streams of one code are read for each other.
inline constexpr unsigned kCodeBits = 20;
inline constexpr unsigned kShardBits = 4;
/// A block holds streams of one shard, or, where they are few records, those of all.
inline constexpr std::uint8_t kAllShards = 1U << kShardBits;

constexpr std::uint32_t code_of(std::uint64_t stream_hash) {
  return static_cast<std::uint32_t>(stream_hash >> (64U - kCodeBits));
}
constexpr std::uint8_t shard_of(std::uint32_t code) {
  return static_cast<std::uint8_t>(code >> (kCodeBits - kShardBits));
}
constexpr std::uint32_t bucket_of(TimestampNs time_ns) {
  return static_cast<std::uint32_t>(time_ns >> kBucketBits);
}
constexpr std::uint32_t slot_of(TimestampNs time_ns) {
  return static_cast<std::uint32_t>(time_ns >> kSlotBits) & (kSlots - 1);
}
constexpr TimestampNs slot_begin(std::uint32_t bucket, std::uint32_t slot) {
  return (TimestampNs{bucket} << kBucketBits) + (TimestampNs{slot} << kSlotBits);
}
constexpr TimestampNs slot_last(std::uint32_t bucket, std::uint32_t slot) {
  return slot_begin(bucket, slot) | ((TimestampNs{1} << kSlotBits) - 1);
}

struct Entry {
  std::uint32_t code = 0;
  std::uint32_t slot = 0;
  auto operator<=>(const Entry&) const = default;
};
/// In order; equal ones count once.
std::string encode(std::span<const Entry> entries);

/// Slots of a bucket, in so much memory as a bit for each takes. Thread contract: one thread.
class SlotSet {
 public:
  bool is_empty() const { return is_empty_; }
  void clear();
  void add(std::uint32_t slot);
  void add_all();
  /// Neighbours, both included; in order.
  struct Run {
    std::uint32_t first;
    std::uint32_t last;
  };
  std::vector<Run> runs() const;

 private:
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(kSlots / 64);
  bool is_empty_ = true;
};

/// Adds the slots of the streams with one of the codes, which are in order. kCorrupt for what
/// encode did not make: what was read before the damage is added.
Result<void> read(std::string_view bytes, std::span<const std::uint32_t> codes, SlotSet& slots);

}  // namespace vigia::storage::store::rocksdb::events::log_block
