// Writes at which times streams of log records have some, so that a query for few streams reads
// their records alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/log_streams.hpp"
#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::store::cassandra {

/// A stream as its rows name it.
struct StreamKey {
  LogStream stream;
  std::string digest;     ///< 16 bytes
  bool is_listed = true;  ///< false: its labels are too long, whoever asks for streams looks at all
};
/// Nothing for a resource of no stream (stream_selector.hpp). Throws protozero::exception on
/// damaged bytes.
std::shared_ptr<const StreamKey> stream_key_of(std::string_view resource);

/// The shard that stands in the list of a day's streams where not all of them do.
inline constexpr Shard kUnlisted{0};

/// Times of one slot, in order, each once; the bytes of a row.
std::string encode_times(TimestampNs slot_begin, const std::set<TimestampNs>& times);
/// Appends them. kCorrupt for what encode_times did not make.
Result<void> decode_times(TimestampNs slot_begin, std::string_view bytes,
                          std::vector<TimestampNs>& times);

/// Of one batch after the other, as SpanBlockWriter. Thread contract: one thread.
class LogTimesWriter {
 public:
  /// All must outlive it.
  LogTimesWriter(const EventStatements& statements, EventPlaces& places, const CustomerId& customer,
                 std::int32_t live_seconds)
      : statements_(statements),
        places_(places),
        customer_(customer),
        live_seconds_(live_seconds) {}
  void add(TimestampNs time_ns, const std::shared_ptr<const StreamKey>& stream);
  void send(Requests& requests);
  void note_written();

 private:
  struct BlockKey {
    std::int32_t slot;
    std::string digest;
    auto operator<=>(const BlockKey&) const = default;
  };
  struct Block {
    std::shared_ptr<const StreamKey> stream;
    std::set<TimestampNs> times = {};
  };
  void send_block(std::int32_t slot, const Block& block, Requests& requests);
  void send_stream(std::uint32_t day, const StreamKey& stream, Requests& requests);

  const EventStatements& statements_;
  EventPlaces& places_;
  const CustomerId& customer_;
  const std::int32_t live_seconds_;
  std::map<BlockKey, Block> blocks_;
  std::vector<std::uint64_t> noted_;
};

}  // namespace vigia::storage::store::cassandra
