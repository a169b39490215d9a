#include "services/collector/exporters/debug/item_lines.hpp"

#include <protozero/exception.hpp>

#include "libs/base/hex.hpp"
#include "libs/base/utf8.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/points.hpp"
#include "services/collector/exporters/debug/item_text.hpp"

namespace vigia::collector::exporters::debug {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::LogRecordField;
using wire::otlp::SpanField;

/// The last field of that tag; "" where there is none.
std::string_view field_of(std::string_view bytes, std::uint32_t tag) {
  std::string_view found;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == tag)
      found = reader.bytes();
    else
      reader.skip();
  }
  return found;
}

std::string text_of(std::string_view any_value) {
  std::string text;
  wire::otlp::append_value_text(text, any_value);
  return std::string(utf8_beginning(text, kTextBytesMax));
}

std::string name_of(std::string_view text) {
  return std::string(utf8_beginning(text, kTextBytesMax));
}

}  // namespace

void ItemLines::on_item(std::uint32_t /*item*/, std::string_view bytes) {
  if (!budget_.takes_line(request_.customer)) return;
  switch (request_.signal) {
    case Signal::kMetrics:
      return write_point(bytes);
    case Signal::kTraces:
      return write_span(bytes);
    case Signal::kLogs:
      return write_record(bytes);
  }
}

std::string ItemLines::resource_json() const { return json_of(ShownPart::kResource, resource_); }
std::string ItemLines::scope_json() const { return json_of(ShownPart::kScope, scope_); }

void ItemLines::write_point(std::string_view bytes) const {
  wire::otlp::PointReader reader;
  const auto& header = reader.header(metric_.type, bytes);
  if (!request_.is_detailed)
    return service::log_info("data point", {{"exporter", request_.exporter},
                                            {"customer_id", request_.customer.text()},
                                            {"name", name_of(metric_.name)},
                                            {"attributes", attributes_text(header.attributes)},
                                            {"value", value_text(metric_.type, bytes)}});
  service::log_info("data point", {{"exporter", request_.exporter},
                                   {"customer_id", request_.customer.text()},
                                   {"resource", resource_json()},
                                   {"scope", scope_json()},
                                   {"name", name_of(metric_.name)},
                                   {"unit", name_of(metric_.unit)},
                                   {"description", name_of(metric_.description)},
                                   {"is_monotonic", metric_.is_monotonic ? "true" : "false"},
                                   {"point", json_of(ShownPart::kPoint, bytes, metric_.type)}});
}

void ItemLines::write_span(std::string_view bytes) const {
  if (!request_.is_detailed)
    return service::log_info(
        "span", {{"exporter", request_.exporter},
                 {"customer_id", request_.customer.text()},
                 {"name", name_of(field_of(bytes, SpanField::kName.tag))},
                 {"trace_id", to_hex(field_of(bytes, SpanField::kTraceId.tag))},
                 {"span_id", to_hex(field_of(bytes, SpanField::kSpanId.tag))},
                 {"attributes", attributes_text({bytes, SpanField::kAttributes.number})}});
  service::log_info("span", {{"exporter", request_.exporter},
                             {"customer_id", request_.customer.text()},
                             {"resource", resource_json()},
                             {"scope", scope_json()},
                             {"span", json_of(ShownPart::kSpan, bytes)}});
}

void ItemLines::write_record(std::string_view bytes) const {
  if (!request_.is_detailed)
    return service::log_info(
        "log record",
        {{"exporter", request_.exporter},
         {"customer_id", request_.customer.text()},
         {"body", text_of(field_of(bytes, LogRecordField::kBody.tag))},
         {"attributes", attributes_text({bytes, LogRecordField::kAttributes.number})}});
  service::log_info("log record", {{"exporter", request_.exporter},
                                   {"customer_id", request_.customer.text()},
                                   {"resource", resource_json()},
                                   {"scope", scope_json()},
                                   {"record", json_of(ShownPart::kLogRecord, bytes)}});
}

}  // namespace vigia::collector::exporters::debug
