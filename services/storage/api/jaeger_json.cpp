#include "services/storage/api/jaeger_json.hpp"

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "services/storage/api/attribute_json.hpp"

namespace vigia::storage {
namespace {

using wire::otlp::bytes_field;
using wire::otlp::FieldReader;
using wire::otlp::fixed64_field;
using wire::otlp::varint_field;

constexpr std::uint64_t kNsPerUs = 1000;
constexpr std::uint64_t kStatusError = 2;
constexpr std::string_view kKinds[] = {"", "internal", "server", "client", "producer", "consumer"};

void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list += ',';
  list += item;
}

std::string tag(std::string_view key, std::string_view type, std::string_view json) {
  return fmt::format(R"({{"key":{},"type":"{}","value":{}}})", json_text(key), type, json);
}

void append_tags(std::string& list, const wire::otlp::Attributes& attributes) {
  wire::otlp::for_each_attribute(attributes, [&](const wire::otlp::KeyValueView& attribute) {
    append_item(list, tag(attribute.key, value_type(attribute.value), value_json(attribute.value)));
  });
}

std::string reference(std::string_view type, std::string_view trace_id, std::string_view span_id) {
  return fmt::format(R"({{"refType":"{}","traceID":"{}","spanID":"{}"}})", type, to_hex(trace_id),
                     to_hex(span_id));
}

struct SpanParts {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view parent_id;
  std::string_view name;
  std::uint64_t kind = 0;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::string references;
  std::string logs;
  std::string tags;
};

// Span.Link: 1 trace_id, 2 span_id.
std::string link_json(std::string_view link) {
  std::string_view trace_id;
  std::string_view span_id;
  FieldReader reader(link);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(1)) {
      trace_id = reader.bytes();
    } else if (reader.tag_and_type() == bytes_field(2)) {
      span_id = reader.bytes();
    } else {
      reader.skip();
    }
  }
  return reference("FOLLOWS_FROM", trace_id, span_id);
}

// Span.Event: 1 time_unix_nano, 2 name, 3 attributes.
std::string event_json(std::string_view event) {
  std::uint64_t time_ns = 0;
  std::string fields;
  FieldReader reader(event);
  while (reader.next()) {
    if (reader.tag_and_type() == fixed64_field(1)) {
      time_ns = reader.fixed64();
    } else if (reader.tag_and_type() == bytes_field(2)) {
      append_item(fields, tag("event", "string", json_text(reader.bytes())));
    } else {
      reader.skip();
    }
  }
  append_tags(fields, {event, 3});
  return fmt::format(R"({{"timestamp":{},"fields":[{}]}})", time_ns / kNsPerUs, fields);
}

// Status: 2 message, 3 code.
void append_status(std::string& tags, std::string_view status) {
  std::string_view message;
  std::uint64_t code = 0;
  FieldReader reader(status);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(2)) {
      message = reader.bytes();
    } else if (reader.tag_and_type() == varint_field(3)) {
      code = reader.varint();
    } else {
      reader.skip();
    }
  }
  if (code == 0) return;
  const bool is_error = code == kStatusError;
  append_item(tags, tag("otel.status_code", "string", is_error ? R"("ERROR")" : R"("OK")"));
  if (is_error) append_item(tags, tag("error", "bool", "true"));
  if (!message.empty()) {
    append_item(tags, tag("otel.status_description", "string", json_text(message)));
  }
}

// InstrumentationScope: 1 name, 2 version.
void append_scope(std::string& tags, std::string_view scope) {
  FieldReader reader(scope);
  while (reader.next()) {
    if (reader.tag_and_type() == bytes_field(1)) {
      append_item(tags, tag("otel.scope.name", "string", json_text(reader.bytes())));
    } else if (reader.tag_and_type() == bytes_field(2)) {
      append_item(tags, tag("otel.scope.version", "string", json_text(reader.bytes())));
    } else {
      reader.skip();
    }
  }
}

void read_field(FieldReader& reader, SpanParts& parts) {
  switch (reader.tag_and_type()) {
    case bytes_field(1):
      parts.trace_id = reader.bytes();
      break;
    case bytes_field(2):
      parts.span_id = reader.bytes();
      break;
    case bytes_field(4):
      parts.parent_id = reader.bytes();
      break;
    case bytes_field(5):
      parts.name = reader.bytes();
      break;
    case varint_field(6):
      parts.kind = reader.varint();
      break;
    case fixed64_field(7):
      parts.start_ns = reader.fixed64();
      break;
    case fixed64_field(8):
      parts.end_ns = reader.fixed64();
      break;
    case bytes_field(11):
      append_item(parts.logs, event_json(reader.bytes()));
      break;
    case bytes_field(13):
      append_item(parts.references, link_json(reader.bytes()));
      break;
    case bytes_field(15):
      append_status(parts.tags, reader.bytes());
      break;
    default:
      reader.skip();
  }
}

SpanParts read_span(const EventView& event) {
  SpanParts parts;
  append_tags(parts.tags, {event.item, 9});
  FieldReader reader(event.item);
  while (reader.next()) read_field(reader, parts);
  if (parts.kind > 0 && parts.kind < std::size(kKinds)) {
    append_item(parts.tags, tag("span.kind", "string", json_text(kKinds[parts.kind])));
  }
  append_scope(parts.tags, event.scope);
  return parts;
}

}  // namespace

JaegerTrace::JaegerTrace(std::string_view trace_id) : trace_id_(to_hex(trace_id)) {}

void JaegerTrace::add(const EventView& event) {
  SpanParts parts = read_span(event);
  std::string references;
  if (parts.parent_id.find_first_not_of('\0') != std::string_view::npos) {
    references = reference("CHILD_OF", parts.trace_id, parts.parent_id);
  }
  if (!parts.references.empty()) append_item(references, parts.references);
  const std::uint64_t duration_ns =
      parts.end_ns > parts.start_ns ? parts.end_ns - parts.start_ns : 0;
  append_item(spans_,
              fmt::format(R"({{"traceID":"{}","spanID":"{}","operationName":{},"references":[{}],)"
                          R"("startTime":{},"duration":{},"tags":[{}],"logs":[{}],)"
                          R"("processID":"{}","warnings":null}})",
                          trace_id_, to_hex(parts.span_id), json_text(parts.name), references,
                          parts.start_ns / kNsPerUs, duration_ns / kNsPerUs, parts.tags, parts.logs,
                          process_of(event.resource)));
  ++span_count_;
}

// What SDKs send where nobody has named the service (semantic conventions, "Service").
constexpr std::string_view kUnknownService = "unknown_service";

std::string JaegerTrace::process_of(std::string_view resource) {
  if (const auto at = process_ids_.find(resource); at != process_ids_.end()) return at->second;
  std::string id = fmt::format("p{}", process_ids_.size() + 1);
  std::string_view service = kUnknownService;
  std::string tags;
  wire::otlp::for_each_attribute({resource, 1}, [&](const wire::otlp::KeyValueView& attribute) {
    if (attribute.key == "service.name") {
      const std::string_view named = wire::otlp::string_value(attribute.value);
      if (!named.empty()) service = named;
      return;
    }
    append_item(tags, tag(attribute.key, value_type(attribute.value), value_json(attribute.value)));
  });
  append_item(processes_, fmt::format(R"("{}":{{"serviceName":{},"tags":[{}]}})", id,
                                      json_text(service), tags));
  process_ids_.emplace(std::string(resource), id);
  return id;
}

std::string JaegerTrace::finish(bool is_cut, std::string_view gaps) const {
  std::string warnings;
  if (is_cut) append_item(warnings, json_text("the trace has more spans than are shown"));
  if (!gaps.empty()) append_item(warnings, json_text(gaps));
  warnings = warnings.empty() ? "null" : '[' + warnings + ']';
  return fmt::format(
      R"({{"data":[{{"traceID":"{}","spans":[{}],"processes":{{{}}},"warnings":{}}}],)"
      R"("total":1,"limit":0,"offset":0,"errors":null}})",
      trace_id_, spans_, processes_, warnings);
}

}  // namespace vigia::storage
