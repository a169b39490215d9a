// What is known to be stored of metrics' metadata, so that what senders say every minute is not
// written every minute.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/store/metadata.hpp"

namespace vigia::storage::ingest {

/// As a sender says it. Valid for the call.
struct MetadataText {
  std::string_view metric;
  std::uint8_t type = 0;
  std::string_view unit;
  std::string_view help;
};

/// Of the metric's name, and of all that is said of it. Without a seed: who finds two of one hash
/// spoils his own memory.
struct MetadataHash {
  std::uint64_t metric = 0;
  std::uint64_t content = 0;
  std::uint16_t bytes = 0;  ///< of all of it, up to as many as there are places for
  bool operator==(const MetadataHash&) const = default;
};
MetadataHash hash_metadata(const MetadataText& text);

/// What to do with what a sender says.
enum class Said : std::uint8_t {
  kStored,   ///< nothing, it is there
  kNew,      ///< write it
  kTooMany,  ///< the customer has as many metrics, or as much of them, as he may: let it go
  kTooOften  ///< the metric has changed as often in this minute as it may: let it go
};

/// Customers who have said nothing for longest are forgotten where it is full, and are read from
/// the store when they speak again. Thread contract: one thread at a time.
class MetadataMemory {
 public:
  /// A row is written anew once what it says has been noted last so many days ago, by the metric's
  /// hash: not all of them at one midnight.
  static constexpr std::uint32_t kNotedDaysMin = 4;
  static constexpr std::uint32_t kNotedDaysMax = 7;
  static constexpr std::uint32_t kChangesAMinute = 3;
  /// Of a metric: its slot, at what the table is filled to on average.
  static constexpr std::size_t kMetricBytes = 48;
  /// Of what a customer's metrics say, names included: on Cassandra they are one partition.
  static constexpr std::size_t kStoredBytesMax = 64U << 20U;

  /// `metrics_max` of a customer; `known_max` of all together.
  MetadataMemory(std::size_t metrics_max, std::size_t known_max)
      : metrics_max_(metrics_max), known_max_(known_max) {}

  /// Whether the customer's is to be read from the store first: nothing is known of it, or since an
  /// hour; another instance, or damage, may have changed what lies there.
  bool is_to_be_read(const CustomerId& customer, TimePoint now) const;
  /// Before what the store holds, by note_row, all of it.
  void begin_reading(const CustomerId& customer, TimePoint now);
  void note_row(const CustomerId& customer, const MetadataHash& hash, std::uint32_t day);

  /// Whether exactly that is stored, and was noted lately. Where the customer's is to be read
  /// first: false.
  bool is_stored(const CustomerId& customer, const MetadataHash& hash, std::uint32_t today,
                 TimePoint now);
  /// Notes it as stored where it is kNew. REQUIRES: begin_reading.
  Said take(const CustomerId& customer, const MetadataHash& hash, std::uint32_t today,
            TimePoint now);
  /// Forgets, of whoever was not heard of for longest, until it holds no more than it may.
  void make_room(const CustomerId& keep);
  void forget(const CustomerId& customer);
  /// Whether something of the customer was noted last before `day`, as far as is known.
  bool has_before(const CustomerId& customer, std::uint32_t day) const;
  std::size_t size() const { return size_; }

 private:
  struct Known {
    std::uint64_t content = 0;
    std::uint32_t day = 0;
    std::uint16_t changes = 0;  // in the minute
    std::uint16_t bytes = 0;    // stored
    std::int64_t minute = 0;
  };
  struct Shelf {  // a customer's
    boost::unordered_flat_map<std::uint64_t, Known> metrics;
    // What was there before it was read again: how often it has changed.
    boost::unordered_flat_map<std::uint64_t, Known> before;
    std::size_t bytes = 0;  // of metrics
    TimePoint read_at{};
    TimePoint used_at{};
    bool has_room_for(std::size_t more, std::size_t instead_of) const {
      return more <= instead_of || bytes - instead_of + more <= kStoredBytesMax;
    }
  };
  const std::size_t metrics_max_;
  const std::size_t known_max_;
  std::map<CustomerId, Shelf> shelves_;
  std::size_t size_ = 0;  // metrics of all of them
};

}  // namespace vigia::storage::ingest
