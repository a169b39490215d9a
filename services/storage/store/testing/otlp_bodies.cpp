#include "services/storage/store/testing/otlp_bodies.hpp"

#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::store {

using protozero::pbf_writer;
using wire::otlp::AnyValueField;
using wire::otlp::ExportRequestField;
using wire::otlp::GroupField;
using wire::otlp::KeyValueField;
using wire::otlp::LogRecordField;
using wire::otlp::ResourceField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;
using wire::otlp::SpanStatusField;

namespace {

void add_attribute(pbf_writer& message, std::uint32_t number, const std::string& key,
                   const std::string& value) {
  pbf_writer attribute(message, number);
  attribute.add_string(KeyValueField::kKey.number, key);
  pbf_writer any(attribute, KeyValueField::kValue.number);
  any.add_string(AnyValueField::kString.number, value);
}

}  // namespace

std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns) {
  return span_of(trace_id, span_id, start_ns, {});
}

std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns,
                    const SpanSaid& said) {
  constexpr int kError = 2;
  std::string bytes;
  pbf_writer message(bytes);
  message.add_bytes(SpanField::kTraceId.number, trace_id.data(), trace_id.size());
  message.add_bytes(SpanField::kSpanId.number, std::string(8, span_id));
  message.add_string(SpanField::kName.number, said.name);
  if (said.kind != 0) message.add_enum(SpanField::kKind.number, said.kind);
  message.add_fixed64(SpanField::kStartTime.number, start_ns);
  message.add_fixed64(SpanField::kEndTime.number, start_ns + said.duration_ns);
  for (const auto& [key, value] : said.tags) {
    add_attribute(message, SpanField::kAttributes.number, key, value);
  }
  if (!said.event_tags.empty()) {
    pbf_writer event(message, SpanField::kEvents.number);
    event.add_string(SpanEventField::kName.number, "exception");
    for (const auto& [key, value] : said.event_tags) {
      add_attribute(event, SpanEventField::kAttributes.number, key, value);
    }
  }
  if (said.is_error) {
    pbf_writer status(message, SpanField::kStatus.number);
    status.add_enum(SpanStatusField::kCode.number, kError);
  }
  return bytes;
}

std::string log_record_of(TimestampNs time_ns, const std::string& text) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_fixed64(LogRecordField::kTime.number, time_ns);
  pbf_writer any(message, LogRecordField::kBody.number);
  any.add_string(AnyValueField::kString.number, text);
  return bytes;
}

std::string export_of(const std::string& customer, const std::vector<std::string>& items,
                      const std::vector<std::pair<std::string, std::string>>& attributes) {
  std::string body;
  pbf_writer request(body);
  pbf_writer resource_items(request, ExportRequestField::kGroups.number);
  {
    pbf_writer resource(resource_items, GroupField::kHead.number);
    add_attribute(resource, ResourceField::kAttributes.number, "customer.id", customer);
    for (const auto& [key, value] : attributes) {
      add_attribute(resource, ResourceField::kAttributes.number, key, value);
    }
  }
  pbf_writer scope_items(resource_items, GroupField::kMembers.number);
  for (const std::string& item : items) scope_items.add_message(GroupField::kMembers.number, item);
  return body;
}

}  // namespace vigia::storage::store
