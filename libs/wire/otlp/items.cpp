#include "libs/wire/otlp/items.hpp"

#include <algorithm>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"
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
  // Of tags below 128 the one byte on the wire is the tag.
  constexpr auto kKey = static_cast<char>(KeyValueField::kKey.tag);
  constexpr auto kValue = static_cast<char>(KeyValueField::kValue.tag);
  constexpr auto kString = static_cast<char>(AnyValueField::kString.tag);
  constexpr std::size_t kLengthMax = 0x7f;
  if (bytes.size() < 6 || bytes[0] != kKey) return false;
  const std::size_t key = static_cast<unsigned char>(bytes[1]);
  if (key > kLengthMax || bytes.size() < 6 + key) return false;
  const std::string_view value = bytes.substr(2 + key);
  const std::size_t size = static_cast<unsigned char>(value[1]);
  if (value[0] != kValue || size > kLengthMax || size + 2 != value.size()) return false;
  const std::size_t text = static_cast<unsigned char>(value[3]);
  if (value[2] != kString || text + 2 != size) return false;
  return is_utf8(bytes);  // what stands around key and text is ASCII, and joins nothing
}

bool is_valid_key_value(std::string_view bytes) {
  if (is_plain_text_attribute(bytes)) return true;
  const KeyValueView entry = read_key_value(bytes);
  return is_utf8(entry.key) && is_valid_any_value(entry.value);
}

bool is_valid_event(std::string_view event, std::uint32_t& attributes) {
  FieldReader reader(event);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case SpanEventField::kName.tag:
        is_valid = is_utf8(reader.bytes());
        break;
      case SpanEventField::kAttributes.tag:
        ++attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.pass_over(SpanEventField::kKnown);
    }
    if (!is_valid) return false;
  }
  return true;
}

bool is_valid_link(std::string_view link, std::uint32_t& attributes) {
  FieldReader reader(link);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case SpanLinkField::kTraceId.tag:
        is_valid = is_id_or_none(reader.bytes(), kTraceIdBytes);
        break;
      case SpanLinkField::kSpanId.tag:
        is_valid = is_id_or_none(reader.bytes(), kSpanIdBytes);
        break;
      case SpanLinkField::kTraceState.tag:
        is_valid = is_utf8(reader.bytes());
        break;
      case SpanLinkField::kAttributes.tag:
        ++attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.pass_over(SpanLinkField::kKnown);
    }
    if (!is_valid) return false;
  }
  return true;
}

bool is_valid_status(std::string_view status) {
  FieldReader reader(status);
  while (reader.next()) {
    if (reader.tag_and_type() != SpanStatusField::kMessage.tag) {
      reader.pass_over(SpanStatusField::kKnown);
    } else if (!is_utf8(reader.bytes())) {
      return false;
    }
  }
  return true;
}

/// Texts and parts of a span; its ids are looked at by look_at_span.
bool is_valid_span_field(FieldReader& reader, ItemFacts& facts) {
  switch (reader.tag_and_type()) {
    case SpanField::kTraceState.tag:
    case SpanField::kName.tag:
      return is_utf8(reader.bytes());
    case SpanField::kParentSpanId.tag:
      return is_id_or_none(reader.bytes(), kSpanIdBytes);
    case SpanField::kStartTime.tag:
      facts.has_time = reader.fixed64() != 0;
      return true;
    case SpanField::kAttributes.tag:
      ++facts.attributes;
      return is_valid_key_value(reader.bytes());
    case SpanField::kEvents.tag:
      ++facts.parts;
      return is_valid_event(reader.bytes(), facts.attributes);
    case SpanField::kLinks.tag:
      ++facts.parts;
      return is_valid_link(reader.bytes(), facts.attributes);
    case SpanField::kStatus.tag:
      return is_valid_status(reader.bytes());
    default:
      reader.pass_over(SpanField::kKnown);
      return true;
  }
}

}  // namespace

bool is_valid_resource(std::string_view resource) {
  return are_valid({resource, ResourceField::kAttributes.number});
}

bool is_valid_scope(std::string_view scope) {
  FieldReader reader(scope);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case ScopeField::kName.tag:
      case ScopeField::kVersion.tag:
        is_valid = is_utf8(reader.bytes());
        break;
      case ScopeField::kAttributes.tag:
        is_valid = is_valid_key_value(reader.bytes());
        break;
      default:
        reader.pass_over(ScopeField::kKnown);
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
    if (reader.tag_and_type() == SpanField::kTraceId.tag) {
      trace_id = reader.bytes();
    } else if (reader.tag_and_type() == SpanField::kSpanId.tag) {
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
      case LogRecordField::kTime.tag:
      case LogRecordField::kObservedTime.tag:
        facts.has_time = reader.fixed64() != 0 || facts.has_time;
        break;
      case LogRecordField::kSeverityText.tag:
      case LogRecordField::kEventName.tag:
        is_valid = is_utf8(reader.bytes());
        break;
      case LogRecordField::kBody.tag:
        is_valid = is_valid_any_value(reader.bytes());
        break;
      case LogRecordField::kAttributes.tag:
        ++facts.attributes;
        is_valid = is_valid_key_value(reader.bytes());
        break;
      case LogRecordField::kTraceId.tag:
        is_valid = is_id_or_none(reader.bytes(), kTraceIdBytes);
        break;
      case LogRecordField::kSpanId.tag:
        is_valid = is_id_or_none(reader.bytes(), kSpanIdBytes);
        break;
      default:
        reader.pass_over(LogRecordField::kKnown);
    }
    if (!is_valid) return facts;
  }
  facts.is_valid = true;
  return facts;
}

}  // namespace vigia::wire::otlp
