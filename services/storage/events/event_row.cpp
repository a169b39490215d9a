#include "services/storage/events/event_row.hpp"

#include "libs/base/bytes.hpp"
#include "libs/wire/otlp/field_reader.hpp"

namespace vigia::storage {
namespace {

using wire::otlp::bytes_field;
using wire::otlp::FieldReader;
using wire::otlp::fixed64_field;

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string encode_event(const EventView& event) {
  std::string bytes(1, static_cast<char>(kVersion));
  append_sized(bytes, event.resource);
  append_sized(bytes, event.resource_schema_url);
  append_sized(bytes, event.scope);
  append_sized(bytes, event.scope_schema_url);
  bytes += event.item;
  return bytes;
}

Result<EventView> decode_event(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  EventView event;
  event.resource = reader.read_sized();
  event.resource_schema_url = reader.read_sized();
  event.scope = reader.read_sized();
  event.scope_schema_url = reader.read_sized();
  event.item = reader.rest();
  if (!reader.ok() || version != kVersion) {
    return fail(ErrorCode::kCorrupt, "cold store: a damaged row of a span or log record");
  }
  return event;
}

// Span: 1 trace_id, 2 span_id, 7 start_time_unix_nano.
SpanKeyParts span_key_parts(std::string_view span) {
  SpanKeyParts parts;
  FieldReader reader(span);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(1):
        parts.trace_id = reader.bytes();
        break;
      case bytes_field(2):
        parts.span_id = reader.bytes();
        break;
      case fixed64_field(7):
        parts.start_ns = reader.fixed64();
        break;
      default:
        reader.skip();
    }
  }
  return parts;
}

// LogRecord: 1 time_unix_nano, 11 observed_time_unix_nano.
TimestampNs log_record_time(std::string_view record) {
  TimestampNs time = 0;
  TimestampNs observed = 0;
  FieldReader reader(record);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case fixed64_field(1):
        time = reader.fixed64();
        break;
      case fixed64_field(11):
        observed = reader.fixed64();
        break;
      default:
        reader.skip();
    }
  }
  return time != 0 ? time : observed;
}

}  // namespace vigia::storage
