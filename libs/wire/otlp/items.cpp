#include "libs/wire/otlp/items.hpp"

#include <algorithm>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/utf8.hpp"

namespace vigia::wire::otlp {
namespace {

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;

bool is_id(std::string_view id, std::size_t bytes) {
  return id.size() == bytes && std::any_of(id.begin(), id.end(), [](char c) { return c != 0; });
}

/// Missing, or all zero, or of the right length.
bool is_id_or_none(std::string_view id, std::size_t bytes) {
  return id.empty() || id.size() == bytes;
}

/// The attribute that nearly every encoder writes: a key below 128 bytes, then a text below 128.
/// True where it is one and valid; false says nothing, the general reader looks then. Spans and log
/// records are little else than these.
bool is_plain_text_attribute(std::string_view bytes) {
  constexpr char kFirst = 0x0a;   // KeyValue.key, AnyValue.string_value
  constexpr char kSecond = 0x12;  // KeyValue.value
  constexpr std::size_t kLengthMax = 0x7f;
  if (bytes.size() < 6 || bytes[0] != kFirst) return false;
  const std::size_t key = static_cast<unsigned char>(bytes[1]);
  if (key > kLengthMax || bytes.size() < 6 + key) return false;
  const std::string_view value = bytes.substr(2 + key);
  const std::size_t size = static_cast<unsigned char>(value[1]);
  if (value[0] != kSecond || size > kLengthMax || size + 2 != value.size()) return false;
  const std::size_t text = static_cast<unsigned char>(value[3]);
  if (value[2] != kFirst || text + 2 != size) return false;
  return is_utf8(bytes);  // what stands around key and text is ASCII, and joins nothing
}

bool is_valid_key_value(std::string_view bytes) {
  if (is_plain_text_attribute(bytes)) return true;
  const KeyValueView entry = read_key_value(bytes);
  return is_utf8(entry.key) && is_valid_any_value(entry.value);
}

/// Span.Event (2 name, 3 attributes).
bool is_valid_event(std::string_view event, std::uint32_t& attributes) {
  FieldReader reader(event);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case bytes_field(2):
        is_valid = is_utf8(reader.bytes());
        break;
      case bytes_field(3):
        ++attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.skip();
    }
    if (!is_valid) return false;
  }
  return true;
}

/// Span.Link (1 trace id, 2 span id, 3 trace state, 4 attributes).
bool is_valid_link(std::string_view link, std::uint32_t& attributes) {
  FieldReader reader(link);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case bytes_field(1):
        is_valid = is_id_or_none(reader.bytes(), kTraceIdBytes);
        break;
      case bytes_field(2):
        is_valid = is_id_or_none(reader.bytes(), kSpanIdBytes);
        break;
      case bytes_field(3):
        is_valid = is_utf8(reader.bytes());
        break;
      case bytes_field(4):
        ++attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.skip();
    }
    if (!is_valid) return false;
  }
  return true;
}

/// Status (2 message).
bool is_valid_status(std::string_view status) {
  FieldReader reader(status);
  while (reader.next()) {
    if (reader.tag_and_type() != bytes_field(2)) {
      reader.skip();
    } else if (!is_utf8(reader.bytes())) {
      return false;
    }
  }
  return true;
}

/// Texts and parts of a span; its ids are looked at by look_at_span.
bool is_valid_span_field(FieldReader& reader, ItemFacts& facts) {
  switch (reader.tag_and_type()) {
    case bytes_field(3):  // trace_state
    case bytes_field(5):  // name
      return is_utf8(reader.bytes());
    case bytes_field(4):  // parent_span_id
      return is_id_or_none(reader.bytes(), kSpanIdBytes);
    case fixed64_field(7):  // start_time_unix_nano
      facts.has_time = reader.fixed64() != 0;
      return true;
    case bytes_field(9):
      ++facts.attributes;
      return is_valid_key_value(reader.bytes());
    case bytes_field(11):
      ++facts.parts;
      return is_valid_event(reader.bytes(), facts.attributes);
    case bytes_field(13):
      ++facts.parts;
      return is_valid_link(reader.bytes(), facts.attributes);
    case bytes_field(15):
      return is_valid_status(reader.bytes());
    default:
      reader.skip();
      return true;
  }
}

}  // namespace

bool is_valid_resource(std::string_view resource) { return are_valid({resource, 1}); }

bool is_valid_scope(std::string_view scope) {
  FieldReader reader(scope);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case bytes_field(1):  // name
      case bytes_field(2):  // version
        is_valid = is_utf8(reader.bytes());
        break;
      case bytes_field(3):
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.skip();
    }
    if (!is_valid) return false;
  }
  return true;
}

bool is_valid_span(std::string_view span) { return look_at_span(span).is_valid; }

ItemFacts look_at_span(std::string_view span) {
  ItemFacts facts;
  std::string_view trace_id;
  std::string_view span_id;
  FieldReader reader(span);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(1)) {
      trace_id = reader.bytes();
    } else if (reader.tag_and_type() == bytes_field(2)) {
      span_id = reader.bytes();
    } else if (!is_valid_span_field(reader, facts)) {
      return facts;
    }
  }
  facts.is_valid = is_id(trace_id, kTraceIdBytes) && is_id(span_id, kSpanIdBytes);
  return facts;
}

bool is_valid_log_record(std::string_view record) { return look_at_log_record(record).is_valid; }

ItemFacts look_at_log_record(std::string_view record) {
  ItemFacts facts;
  FieldReader reader(record);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case fixed64_field(1):   // time_unix_nano
      case fixed64_field(11):  // observed_time_unix_nano
        facts.has_time = reader.fixed64() != 0 || facts.has_time;
        break;
      case bytes_field(3):   // severity_text
      case bytes_field(12):  // event_name
        is_valid = is_utf8(reader.bytes());
        break;
      case bytes_field(5):  // body
        is_valid = is_valid_any_value(reader.bytes());
        break;
      case bytes_field(6):
        ++facts.attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      case bytes_field(9):
        is_valid = is_id_or_none(reader.bytes(), kTraceIdBytes);
        break;
      case bytes_field(10):
        is_valid = is_id_or_none(reader.bytes(), kSpanIdBytes);
        break;
      default:
        reader.skip();
    }
    if (!is_valid) return facts;
  }
  facts.is_valid = true;
  return facts;
}

}  // namespace vigia::wire::otlp
