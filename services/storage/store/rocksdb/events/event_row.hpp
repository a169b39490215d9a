// One span or log record with all that it says of its origin. Format: docs/formats/cold-store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::store::rocksdb::events {

/// A resource or a scope, which lies in a row of its own, once for all items that have it.
struct OriginView {
  std::string_view message;
  std::string_view schema_url;
};

/// XXH3-128 of an origin's row.
struct OriginHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const OriginHash&) const = default;
};

/// An item whose resource and scope lie elsewhere.
struct StoredItem {
  std::uint32_t origin_day = 0;  ///< under which both origins are filed; not before the item's day
  OriginHash resource;
  OriginHash scope;
  /// Of its request: when it came, in ms since 1970, and at least one more than that of the one
  /// before, whatever the clock said.
  std::uint64_t arrival = 0;
  std::uint32_t position = 0;  ///< in its request
  std::string_view item;
};

/// The row of an item with everything in it, as versions 1 and 2 of the store wrote it; it is read
/// still, and never written. Views into `bytes`; kCorrupt for what is no such row.
Result<EventView> decode_event(std::string_view bytes);
/// The row of an item that refers to its origins.
std::string encode_item(const StoredItem& item);
bool is_encoded_item(std::string_view bytes);
/// Views into `bytes`. kCorrupt for bytes that encode_item did not write.
Result<StoredItem> decode_item(std::string_view bytes);

std::string encode_origin(const OriginView& origin);
/// The same behind what `bytes` holds.
void append_origin(std::string& bytes, const OriginView& origin);
/// Views into `bytes`. kCorrupt for bytes that encode_origin did not write.
Result<OriginView> decode_origin(std::string_view bytes);
OriginHash hash_origin(std::string_view encoded);

/// What a key needs of a span. All 0 or "" where the span does not say.
struct SpanKeyParts {
  std::string_view trace_id;
  std::string_view span_id;
  TimestampNs start_ns = 0;
};
/// Both throw protozero::exception on damaged bytes.
SpanKeyParts span_key_parts(std::string_view span);
/// Its time, else when it was observed, else 0.
TimestampNs log_record_time(std::string_view record);

}  // namespace vigia::storage::store::rocksdb::events
