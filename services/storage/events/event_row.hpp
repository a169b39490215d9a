// One span or log record with all that it says of its origin. Format: docs/formats/cold-store.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::storage {

/// Encoded OTLP messages, as they came.
struct EventView {
  std::string_view resource;
  std::string_view resource_schema_url;
  std::string_view scope;
  std::string_view scope_schema_url;
  std::string_view item;  ///< the Span or LogRecord
};

std::string encode_event(const EventView& event);
/// Views into `bytes`. kCorrupt for bytes that encode_event did not write.
Result<EventView> decode_event(std::string_view bytes);

/// When, for keys: nanoseconds since 1970.
using TimestampNs = std::uint64_t;

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

}  // namespace vigia::storage
