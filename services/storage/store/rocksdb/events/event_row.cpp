#include "services/storage/store/rocksdb/events/event_row.hpp"

#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::LogRecordField;
using wire::otlp::SpanField;

constexpr std::uint8_t kWhole = 1;   // an item with its resource and scope
constexpr std::uint8_t kRefers = 2;  // an item that names the rows of both
constexpr std::uint8_t kOrigin = 1;

void append_hash(std::string& bytes, const OriginHash& hash) {
  append_u64(bytes, hash.high);
  append_u64(bytes, hash.low);
}

OriginHash read_hash(ByteReader& reader) {
  OriginHash hash;
  hash.high = reader.read_u64();
  hash.low = reader.read_u64();
  return hash;
}

}  // namespace

Result<EventView> decode_event(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  EventView event;
  event.resource = reader.read_sized();
  event.resource_schema_url = reader.read_sized();
  event.scope = reader.read_sized();
  event.scope_schema_url = reader.read_sized();
  event.item = reader.rest();
  if (!reader.ok() || version != kWhole) {
    return fail(ErrorCode::kCorrupt, "cold store: a damaged row of a span or log record");
  }
  return event;
}

std::string encode_item(const StoredItem& item) {
  constexpr std::size_t kHeadBytesMax = 64;
  std::string bytes;
  bytes.reserve(kHeadBytesMax + item.item.size());
  bytes += static_cast<char>(kRefers);
  append_u32(bytes, item.origin_day);
  append_hash(bytes, item.resource);
  append_hash(bytes, item.scope);
  append_varint(bytes, item.arrival);
  append_varint(bytes, item.position);
  bytes += item.item;
  return bytes;
}

bool is_encoded_item(std::string_view bytes) {
  return !bytes.empty() && bytes.front() == static_cast<char>(kRefers);
}

Result<StoredItem> decode_item(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  StoredItem item;
  item.origin_day = reader.read_u32();
  item.resource = read_hash(reader);
  item.scope = read_hash(reader);
  item.arrival = reader.read_varint();
  item.position = static_cast<std::uint32_t>(reader.read_varint());
  item.item = reader.rest();
  if (!reader.ok() || version != kRefers) {
    return fail(ErrorCode::kCorrupt, "cold store: a damaged row of a span or log record");
  }
  return item;
}

std::string encode_origin(const OriginView& origin) {
  std::string bytes;
  append_origin(bytes, origin);
  return bytes;
}

void append_origin(std::string& bytes, const OriginView& origin) {
  bytes += static_cast<char>(kOrigin);
  append_sized(bytes, origin.schema_url);
  bytes += origin.message;
}

Result<OriginView> decode_origin(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  OriginView origin;
  origin.schema_url = reader.read_sized();
  origin.message = reader.rest();
  if (!reader.ok() || version != kOrigin) {
    return fail(ErrorCode::kCorrupt, "cold store: a damaged row of a resource or scope");
  }
  return origin;
}

// 128 bits: two resources of one hash would be one row, and spans of the one would show the other's
// name. Over all that a store holds in two years that does not happen by chance.
OriginHash hash_origin(std::string_view encoded) {
  const XXH128_hash_t hash = XXH3_128bits(encoded.data(), encoded.size());
  return {hash.high64, hash.low64};
}

SpanKeyParts span_key_parts(std::string_view span) {
  SpanKeyParts parts;
  FieldReader reader(span);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case SpanField::kTraceId.tag:
        parts.trace_id = reader.bytes();
        break;
      case SpanField::kSpanId.tag:
        parts.span_id = reader.bytes();
        break;
      case SpanField::kStartTime.tag:
        parts.start_ns = reader.fixed64();
        break;
      default:
        reader.skip();
    }
  }
  return parts;
}

TimestampNs log_record_time(std::string_view record) {
  TimestampNs time = 0;
  TimestampNs observed = 0;
  FieldReader reader(record);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case LogRecordField::kTime.tag:
        time = reader.fixed64();
        break;
      case LogRecordField::kObservedTime.tag:
        observed = reader.fixed64();
        break;
      default:
        reader.skip();
    }
  }
  // logs.proto: "Use Timestamp if it is present, otherwise use ObservedTimestamp".
  return time != 0 ? time : observed;
}

}  // namespace vigia::storage::store::rocksdb::events
