#include "libs/ottl/testing/items.hpp"

#include <protozero/pbf_writer.hpp>

#include "libs/ottl/program.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::testing {
namespace {

using protozero::pbf_writer;
using wire::edit::encoded_value;
using wire::edit::ValueView;
using wire::otlp::KeyValueField;
using wire::otlp::LogRecordField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;
using wire::otlp::ResourceField;
using wire::otlp::ScopeField;
using wire::otlp::SpanEventField;
using wire::otlp::SpanField;
using wire::otlp::SpanStatusField;
using wire::otlp::ValuesField;

constexpr std::uint64_t kWork = 1ULL << 30U;
constexpr std::uint64_t kStart_ns = 1'764'489'600'000'000'000;

void add_entry(std::string& out, std::uint32_t number, std::string_view key,
               const std::string& any_value) {
  pbf_writer writer(out);
  pbf_writer entry(writer, number);
  entry.add_bytes(KeyValueField::kKey.number, key.data(), key.size());
  entry.add_bytes(KeyValueField::kValue.number, any_value);
}

std::string resource() {
  return attributes(ResourceField::kAttributes.number,
                    {{"customer.id", "cliente-a"}, {"service.name", "shop"}});
}

std::string scope() {
  std::string out;
  pbf_writer(out).add_string(ScopeField::kName.number, "library");
  pbf_writer(out).add_string(ScopeField::kVersion.number, "1.2");
  return out + attributes(ScopeField::kAttributes.number, {{"a", "of scope"}});
}

std::string log_record() {
  std::string out;
  pbf_writer writer(out);
  writer.add_fixed64(LogRecordField::kTime.number, kStart_ns);
  writer.add_int32(LogRecordField::kSeverityNumber.number, 17);
  writer.add_string(LogRecordField::kSeverityText.number, "ERROR");
  writer.add_string(LogRecordField::kBody.number,
                    encoded_value(ValueView::of_text("password=secret user=ana")));
  writer.add_string(LogRecordField::kTraceId.number, "0123456789abcdef");
  return out + attributes(LogRecordField::kAttributes.number,
                          {{"a", "b"}, {"http.url", "/account/1234"}, {"empty", ""}});
}

std::string span() {
  std::string out;
  pbf_writer writer(out);
  writer.add_string(SpanField::kTraceId.number, "0123456789abcdef");
  writer.add_string(SpanField::kSpanId.number, "01234567");
  writer.add_string(SpanField::kName.number, "GET /cart");
  writer.add_int32(SpanField::kKind.number, 2);
  writer.add_fixed64(SpanField::kStartTime.number, kStart_ns);
  writer.add_fixed64(SpanField::kEndTime.number, kStart_ns + 1'500'000'000);
  {
    pbf_writer status(writer, SpanField::kStatus.number);
    status.add_string(SpanStatusField::kMessage.number, "no stock");
    status.add_int32(SpanStatusField::kCode.number, 2);
  }
  return out + attributes(SpanField::kAttributes.number, {{"a", "of span"}});
}

std::string span_event() {
  std::string out;
  pbf_writer(out).add_fixed64(SpanEventField::kTime.number, kStart_ns + 5);
  pbf_writer(out).add_string(SpanEventField::kName.number, "exception");
  return out + attributes(SpanEventField::kAttributes.number, {{"a", "of event"}});
}

std::string point() {
  std::string out;
  pbf_writer(out).add_fixed64(NumberPointField::kTime.number, kStart_ns);
  pbf_writer(out).add_double(NumberPointField::kDouble.number, 2.5);
  return out + attributes(NumberPointField::kAttributes.number, {{"a", "of point"}});
}

std::string metric_data() {
  std::string out;
  pbf_writer(out).add_string(MetricDataField::kPoints.number, point());
  return out;
}

std::string metric() {
  std::string out;
  pbf_writer(out).add_string(MetricField::kName.number, "http.requests");
  pbf_writer(out).add_string(MetricField::kUnit.number, "1");
  pbf_writer(out).add_string(MetricField::kSum.number, metric_data());
  return out;
}

}  // namespace

std::string attributes(std::uint32_t number,
                       const std::vector<std::pair<std::string, std::string>>& texts) {
  std::string out;
  for (const auto& [key, text] : texts)
    add_entry(out, number, key, encoded_value(ValueView::of_text(text)));
  add_entry(out, number, "n", encoded_value(ValueView::of_int(7)));
  add_entry(out, number, "x", encoded_value(ValueView::of_double(1.5)));
  add_entry(out, number, "yes", encoded_value(ValueView::of_bool(true)));
  std::string array;
  pbf_writer(array).add_string(ValuesField::kValues.number, encoded_value(ValueView::of_text("a")));
  pbf_writer(array).add_string(ValuesField::kValues.number, encoded_value(ValueView::of_int(2)));
  add_entry(out, number, "list", encoded_value({wire::edit::ValueKind::kArray, array}));
  std::string list;
  add_entry(list, ValuesField::kValues.number, "in", encoded_value(ValueView::of_text("deep")));
  add_entry(out, number, "map", encoded_value({wire::edit::ValueKind::kList, list}));
  return out;
}

Item::Item(Context context) : context_(context) {
  sources_ = {resource(),   scope(),  log_record(), span(),
              span_event(), metric(), point(),      metric_data()};
  resource_.open(sources_[0], ResourceField::kAttributes);
  scope_.open(sources_[1], ScopeField::kAttributes);
  cache_.open({}, ValuesField::kValues);
  record_.set(MessageLevel::kResource, &resource_);
  record_.set(MessageLevel::kScope, &scope_);
  record_.set(MessageLevel::kCache, &cache_);
  record_.set(level_of(context), &item_);
  switch (context) {
    case Context::kLog:
      item_.open(sources_[2], LogRecordField::kAttributes);
      break;
    case Context::kSpan:
      item_.open(sources_[3], SpanField::kAttributes);
      break;
    case Context::kSpanEvent:
      outer_.open(sources_[3], SpanField::kAttributes);
      record_.set(MessageLevel::kSpan, &outer_);
      item_.open(sources_[4], SpanEventField::kAttributes);
      break;
    case Context::kMetric:
      item_.open(sources_[5]);
      break;
    case Context::kPoint:
      outer_.open(sources_[5]);
      record_.set(MessageLevel::kMetric, &outer_);
      item_.open(sources_[6], NumberPointField::kAttributes);
      break;
    case Context::kResource:
      record_.set(MessageLevel::kResource, &resource_);
      break;
    case Context::kScope:
      record_.set(MessageLevel::kScope, &scope_);
      break;
  }
  if (context == Context::kMetric || context == Context::kPoint) {
    record_.metric_kind = wire::otlp::MetricKind::kSum;
    record_.temporality = wire::otlp::Temporality::kCumulative;
    record_.is_monotonic = true;
    record_.metric_data = sources_[7];
  }
}

void Item::begin() {
  evaluation_.begin_request(kWork, kWork);
  evaluation_.begin(record_);
}

std::string Item::ask(std::string_view condition) {
  CompileBudget budget;
  const auto compiled = Condition::compile(condition, context_, budget);
  if (!compiled) return "error: " + compiled.error().message;
  begin();
  bool is_met = false;
  if (!compiled->test(evaluation_, is_met))
    return "fault: " + compiled->describe(evaluation_.fault());
  return is_met ? "true" : "false";
}

std::string Item::run(std::string_view statement) {
  CompileBudget budget;
  const auto compiled = Statement::compile(statement, context_, budget);
  if (!compiled) return "error: " + compiled.error().message;
  begin();
  if (!compiled->run(evaluation_)) return "fault: " + compiled->describe(evaluation_.fault());
  return "";
}

std::string Item::show(std::string_view path) {
  CompileBudget budget;
  const std::string text = "set(cache[\"shown\"], " + std::string(path) + ")";
  const auto compiled = Statement::compile(text, context_, budget);
  if (!compiled) return "error: " + compiled.error().message;
  begin();
  if (!compiled->run(evaluation_)) return "fault: " + compiled->describe(evaluation_.fault());
  const std::string_view any_value = cache_.attribute("shown").value_or(std::string_view{});
  if (any_value.empty()) return "nil";
  std::string out;
  wire::otlp::append_value_text(out, any_value);
  cache_.erase_attribute("shown");
  return out;
}

}  // namespace vigia::ottl::testing
