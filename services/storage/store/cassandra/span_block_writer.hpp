// Writes what finds the spans of a request without their traces' ids.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/span_block.hpp"

namespace vigia::storage::store::cassandra {

/// An hour, by which blocks of a service are filed.
inline constexpr TimestampNs kIndexSlotNs = 3'600'000'000'000;
inline constexpr std::uint32_t kIndexSlotsOfDay = 24;
constexpr std::int32_t index_slot_of(TimestampNs time_ns) {
  return static_cast<std::int32_t>(time_ns / kIndexSlotNs);
}

/// A span as it is filed. All of it outlives the batch.
struct IndexedSpan {
  TimestampNs time_ns = 0;
  std::uint32_t day = 0;
  std::string_view trace_id;
  std::string_view resource;  ///< digests
  std::string_view scope;
  std::string_view service;  ///< key_text; "": of no service that can be asked for
  std::string_view bytes;
};

/// Of one batch after the other: add all of it, send, and note once the requests were answered
/// well. Thread contract: one thread.
class SpanBlockWriter {
 public:
  /// All must outlive it.
  SpanBlockWriter(const EventStatements& statements, EventPlaces& places,
                  const CustomerId& customer, std::int32_t live_seconds)
      : statements_(statements),
        places_(places),
        customer_(customer),
        live_seconds_(live_seconds) {}
  /// Throws protozero::exception on damaged bytes.
  void add(const IndexedSpan& span);
  void send(Requests& requests);
  void note_written();

 private:
  struct BlockKey {
    std::string_view service;
    std::uint32_t day;
    std::int32_t slot;
    std::int64_t bucket;
    auto operator<=>(const BlockKey&) const = default;
  };
  struct Name {
    std::uint32_t day;
    std::string service;  // "": the name is a service's
    std::string name;
    std::int32_t kind;
    auto operator<=>(const Name&) const = default;
  };
  void add_names(const IndexedSpan& span);
  void send_block(const BlockKey& key, std::vector<BlockSpan>& spans, Requests& requests);
  void send_ids(std::uint32_t day, const std::set<std::string_view>& ids, Requests& requests);
  void send_name(const Name& name, Requests& requests);

  const EventStatements& statements_;
  EventPlaces& places_;
  const CustomerId& customer_;
  const std::int32_t live_seconds_;
  std::map<BlockKey, std::vector<BlockSpan>> blocks_;
  std::map<std::uint32_t, std::set<std::string_view>> traces_;  // by day
  std::set<Name> names_;
  std::vector<std::uint64_t> noted_;
};

}  // namespace vigia::storage::store::cassandra
