// What a batch of spans of one service and one bucket of time is found by: for each of its traces
// when, how long, of which operations and with which tags. It only says where to look: the spans
// themselves decide. Format: docs/formats/cold-store.md, "Finding".
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/events/tag_filter.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Of one trace; of its tags so many are told apart.
inline constexpr std::size_t kTraceTagsMax = 64;
/// Of all resources and scopes of a block.
inline constexpr std::size_t kCommonTagsMax = 250;

/// A duration in one byte: never smaller for a longer one.
std::uint8_t rough_duration(std::uint64_t duration_ns);

/// What of a trace's spans goes into one block. Thread contract: one thread.
struct TraceSummary {
  TimestampNs earliest_ns = UINT64_MAX;
  TimestampNs latest_ns = 0;
  std::uint8_t shortest = 0xff;  ///< rough_duration
  std::uint8_t longest = 0;
  std::vector<std::uint64_t> operations = {};  ///< hashes of their names, maybe repeated
  TagHashes tags{kTraceTagsMax};
};

/// Thread contract: one thread.
class SpanBlockBuilder {
 public:
  explicit SpanBlockBuilder(std::uint32_t bucket) : bucket_(bucket) {}
  /// `trace_id` has kTraceIdBytes; all times lie in the bucket.
  void add(std::string_view trace_id, TraceSummary&& trace);
  /// Tags that all spans of a resource and scope have.
  void add_common(const TagHashes& tags) { common_.add_all(tags); }
  std::string finish();

 private:
  struct Entry {
    std::string head;  // all but the tags
    TagHashes tags;
  };
  std::vector<std::uint64_t> frequent_tags();
  void append_tags(std::string& out, TagHashes& tags,
                   const std::vector<std::uint64_t>& frequent) const;

  std::uint32_t bucket_;
  TagHashes common_{kCommonTagsMax};
  std::unordered_map<std::uint32_t, std::uint32_t> places_;  // of operations
  std::vector<std::uint32_t> operations_;
  std::vector<Entry> entries_;
};

/// What a search asks of blocks. A trace that passes may have what is asked for.
struct SpanBlockFilter {
  explicit SpanBlockFilter(const TraceQuery& query);
  TimestampNs from_ns;
  TimestampNs to_ns;
  bool is_any_operation;
  std::uint32_t operation = 0;
  std::uint8_t shortest;
  std::uint8_t longest;
  std::vector<std::uint64_t> tags = {};
};

/// So much of a trace's id stands in a block: its first half or, where that is all zeros, as of ids
/// of 64 bits, its second.
inline constexpr std::size_t kHalfIdBytes = kTraceIdBytes / 2;

struct FoundTrace {
  TimestampNs latest_ns = 0;  ///< no span of it in the block is later
  /// The first half of an id, zeros behind it; or all of one that begins with zeros.
  std::array<char, kTraceIdBytes> id{};
};

/// Appends what passes. kCorrupt for what SpanBlockBuilder did not make: what was read before the
/// damage is appended.
Result<void> read_span_block(std::uint32_t bucket, std::string_view bytes,
                             const SpanBlockFilter& filter, std::vector<FoundTrace>& found);

}  // namespace vigia::storage::store::rocksdb::events
