#include "libs/ottl/internal/field_access.hpp"

#include <array>
#include <bit>

#include "libs/base/hex.hpp"
#include "libs/ottl/internal/any_value.hpp"
#include "libs/ottl/internal/histogram_fields.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::edit::Editable;
using wire::otlp::ExponentialPointField;
using wire::otlp::HistogramPointField;
using wire::otlp::LogRecordField;
using wire::otlp::MetricKind;
using wire::otlp::NumberPointField;
using wire::otlp::ProtoField;
using wire::otlp::SpanField;
using wire::otlp::SpanStatusField;
using wire::otlp::SummaryPointField;

constexpr std::string_view kOtherKind = "this field holds another kind of value";
constexpr std::string_view kOtherPoint = "a data point of this kind has no such field";

constexpr std::array<std::string_view, 6> kKinds{"Unspecified", "Internal", "Server",
                                                 "Client",      "Producer", "Consumer"};
constexpr std::array<std::string_view, 6> kLongKinds{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                     "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                     "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};

std::int64_t signed_of(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }

bool is_number_point(MetricKind kind) {
  return kind == MetricKind::kGauge || kind == MetricKind::kSum;
}

/// Of a histogram of either kind or a summary; tag 0 for others.
ProtoField count_field(MetricKind kind) {
  if (kind == MetricKind::kHistogram) return HistogramPointField::kCount;
  if (kind == MetricKind::kExponentialHistogram) return ExponentialPointField::kCount;
  return kind == MetricKind::kSummary ? SummaryPointField::kCount : ProtoField{0, 0};
}
ProtoField sum_field(MetricKind kind) {
  if (kind == MetricKind::kHistogram) return HistogramPointField::kSum;
  if (kind == MetricKind::kExponentialHistogram) return ExponentialPointField::kSum;
  return kind == MetricKind::kSummary ? SummaryPointField::kSum : ProtoField{0, 0};
}
ProtoField flags_field(MetricKind kind) {
  if (kind == MetricKind::kHistogram) return HistogramPointField::kFlags;
  if (kind == MetricKind::kExponentialHistogram) return ExponentialPointField::kFlags;
  return is_number_point(kind) ? NumberPointField::kFlags : SummaryPointField::kFlags;
}

std::int64_t metric_type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::kNone:
      return 0;
    case MetricKind::kGauge:
      return 1;
    case MetricKind::kSum:
      return 2;
    case MetricKind::kHistogram:
      return 3;
    case MetricKind::kExponentialHistogram:
      return 4;
    case MetricKind::kSummary:
      return 5;
  }
  return 0;
}

/// 0 where the point holds the other one, as upstream has it; nil for points that are no numbers.
Value number_value(const Editable& point, MetricKind kind, bool is_int) {
  if (!is_number_point(kind)) return {};
  if (is_int) return Value::of_int(signed_of(point.number(NumberPointField::kInt)));
  return Value::of_double(std::bit_cast<double>(point.number(NumberPointField::kDouble)));
}

bool read_point(Evaluation& evaluation, const Editable& point, FieldForm form, Value& out) {
  const MetricKind kind = evaluation.record().metric_kind;
  switch (form) {
    case FieldForm::kPointInt:
      out = number_value(point, kind, true);
      return true;
    case FieldForm::kPointDouble:
      out = number_value(point, kind, false);
      return true;
    case FieldForm::kPointCount:
      if (const ProtoField field = count_field(kind); field.tag != 0)
        out = Value::of_int(signed_of(point.number(field)));
      return true;
    case FieldForm::kPointSum:
      if (const ProtoField field = sum_field(kind); field.tag != 0)
        out = Value::of_double(std::bit_cast<double>(point.number(field)));
      return true;
    case FieldForm::kPointFlags:
      out = Value::of_int(signed_of(point.number(flags_field(kind))));
      return true;
    default:
      return read_histogram(evaluation, point, form, out);
  }
}

Value read_metric(const Record& record, FieldForm form) {
  const MetricKind kind = record.metric_kind;
  if (form == FieldForm::kMetricType) return Value::of_int(metric_type_of(kind));
  if (form == FieldForm::kMonotonic)
    return kind == MetricKind::kSum ? Value::of_bool(record.is_monotonic) : Value{};
  const bool has_it = kind == MetricKind::kSum || kind == MetricKind::kHistogram ||
                      kind == MetricKind::kExponentialHistogram;
  return has_it ? Value::of_int(static_cast<std::int64_t>(record.temporality)) : Value{};
}

std::string_view name_in(const std::array<std::string_view, 6>& names, std::uint64_t kind) {
  return kind < names.size() ? names.at(kind) : std::string_view{};
}

bool write_point(Evaluation& evaluation, Editable& point, FieldForm form, const Value& value) {
  const MetricKind kind = evaluation.record().metric_kind;
  switch (form) {
    case FieldForm::kPointInt:
      if (!is_number_point(kind)) return evaluation.fail(kOtherPoint);
      point.clear(NumberPointField::kDouble);
      point.set_number(NumberPointField::kInt, std::bit_cast<std::uint64_t>(value.integer));
      return true;
    case FieldForm::kPointDouble:
      if (!is_number_point(kind)) return evaluation.fail(kOtherPoint);
      point.clear(NumberPointField::kInt);
      point.set_number(NumberPointField::kDouble, std::bit_cast<std::uint64_t>(value.real));
      return true;
    case FieldForm::kPointCount:
      if (count_field(kind).tag == 0) return evaluation.fail(kOtherPoint);
      point.set_number(count_field(kind), std::bit_cast<std::uint64_t>(value.integer));
      return true;
    case FieldForm::kPointSum:
      if (sum_field(kind).tag == 0) return evaluation.fail(kOtherPoint);
      point.set_number(sum_field(kind), std::bit_cast<std::uint64_t>(value.real));
      return true;
    default:
      point.set_number(flags_field(kind), static_cast<std::uint32_t>(value.integer));
      return true;
  }
}

void write_status(Editable& span, const PathField& field, const Value& value) {
  Editable status(span.bytes(SpanField::kStatus));
  if (field.form == FieldForm::kStatusCode) {
    status.set_number(SpanStatusField::kCode, static_cast<std::uint32_t>(value.integer));
  } else {
    status.set_bytes(SpanStatusField::kMessage, value.bytes);
  }
  std::string encoded;
  status.append_to(encoded);
  span.set_bytes(SpanField::kStatus, encoded);
}

bool write_kind(Evaluation& evaluation, Editable& span,
                const std::array<std::string_view, 6>& names, const Value& value) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) != value.bytes) continue;
    span.set_number(SpanField::kKind, i);
    return true;
  }
  return evaluation.fail("a kind of span has another name");
}

/// All zeros is none, which is not written.
void set_id(Editable& message, const PathField& field, std::string_view bytes) {
  const bool is_none = bytes.find_first_not_of('\0') == std::string_view::npos;
  message.set_bytes(ProtoField::sized(field.number), is_none ? std::string_view{} : bytes);
}

bool write_id(Evaluation& evaluation, Editable& message, const PathField& field,
              const Value& value) {
  constexpr std::string_view kWrong = "an id has another length, or is no hexadecimal number";
  if (field.form == FieldForm::kId) {
    if (value.bytes.size() != field.id_bytes) return evaluation.fail(kWrong);
    set_id(message, field, value.bytes);
    return true;
  }
  const auto bytes = from_hex(value.bytes);
  if (!bytes || bytes->size() != field.id_bytes) return evaluation.fail(kWrong);
  set_id(message, field, *bytes);
  return true;
}

bool write_body(Evaluation& evaluation, Editable& message, const Value& value) {
  std::string& encoded = evaluation.make();
  if (!append_any_value(encoded, value)) return evaluation.fail(kOtherKind);
  message.set_bytes(LogRecordField::kBody, encoded);
  return true;
}

/// One that is not there is all zeros, as upstream has it.
std::string_view id_of(Evaluation& evaluation, const Editable& message, const PathField& field) {
  const std::string_view bytes = message.bytes(ProtoField::sized(field.number));
  if (bytes.size() == field.id_bytes) return bytes;
  std::string& zeros = evaluation.make();
  zeros.assign(field.id_bytes, '\0');
  return zeros;
}

}  // namespace

bool read_field(Evaluation& evaluation, const PathField& field, Value& out) {
  Record& record = evaluation.record();
  const Editable* message = record.at(field.level);
  out = {};
  if (message == nullptr) return true;
  evaluation.charge(message->source().size());
  switch (field.form) {
    case FieldForm::kText:
      out = Value::of_string(message->bytes(ProtoField::sized(field.number)));
      return true;
    case FieldForm::kUnsigned:
      out = Value::of_int(signed_of(message->number(ProtoField::varint(field.number))));
      return true;
    case FieldForm::kFixed32:
      out = Value::of_int(signed_of(message->number(ProtoField::fixed32(field.number))));
      return true;
    case FieldForm::kFixed64:
      out = Value::of_int(signed_of(message->number(ProtoField::fixed64(field.number))));
      return true;
    case FieldForm::kTime:
      out = Value::of_time(signed_of(message->number(ProtoField::fixed64(field.number))));
      return true;
    case FieldForm::kId:
      out = Value::of_bytes(id_of(evaluation, *message, field));
      return true;
    case FieldForm::kHexId: {
      std::string& hex = evaluation.make();
      hex = to_hex(id_of(evaluation, *message, field));
      out = Value::of_string(hex);
      return true;
    }
    case FieldForm::kBody:
      out = read_any_value(message->bytes(LogRecordField::kBody));
      return true;
    case FieldForm::kBodyText: {
      std::string& text = evaluation.make();
      wire::otlp::append_value_text(text, message->bytes(LogRecordField::kBody));
      out = Value::of_string(text);
      return evaluation.keep(text);
    }
    case FieldForm::kStatusCode:
      out = Value::of_int(
          signed_of(Editable(message->bytes(SpanField::kStatus)).number(SpanStatusField::kCode)));
      return true;
    case FieldForm::kStatusMessage:
      out = Value::of_string(
          Editable(message->bytes(SpanField::kStatus)).bytes(SpanStatusField::kMessage));
      return true;
    case FieldForm::kKindName:
      out = Value::of_string(name_in(kKinds, message->number(SpanField::kKind)));
      return true;
    case FieldForm::kKindLongName:
      out = Value::of_string(name_in(kLongKinds, message->number(SpanField::kKind)));
      return true;
    case FieldForm::kMetricType:
    case FieldForm::kTemporality:
    case FieldForm::kMonotonic:
      out = read_metric(record, field.form);
      return true;
    case FieldForm::kAttributes:
      return true;
    default:
      return read_point(evaluation, *message, field.form, out);
  }
}

bool write_field(Evaluation& evaluation, const PathField& field, const Value& value) {
  Editable* message = evaluation.record().at(field.level);
  if (message == nullptr) return evaluation.fail("there is nothing here that has this field");
  if (field.kind != ValueForm::kNil && field.kind != value.kind) return evaluation.fail(kOtherKind);
  evaluation.charge_written(value.bytes.size() + field.name.size());
  switch (field.form) {
    case FieldForm::kText:
      message->set_bytes(ProtoField::sized(field.number), value.bytes);
      return true;
    case FieldForm::kUnsigned:
      message->set_number(ProtoField::varint(field.number),
                          static_cast<std::uint32_t>(value.integer));
      return true;
    case FieldForm::kFixed32:
      message->set_number(ProtoField::fixed32(field.number),
                          static_cast<std::uint32_t>(value.integer));
      return true;
    case FieldForm::kFixed64:
    case FieldForm::kTime:
      message->set_number(ProtoField::fixed64(field.number),
                          std::bit_cast<std::uint64_t>(value.integer));
      return true;
    case FieldForm::kId:
    case FieldForm::kHexId:
      return write_id(evaluation, *message, field, value);
    case FieldForm::kBody:
    case FieldForm::kBodyText:
      return write_body(evaluation, *message, value);
    case FieldForm::kStatusCode:
    case FieldForm::kStatusMessage:
      write_status(*message, field, value);
      return true;
    case FieldForm::kKindName:
      return write_kind(evaluation, *message, kKinds, value);
    case FieldForm::kKindLongName:
      return write_kind(evaluation, *message, kLongKinds, value);
    case FieldForm::kMetricType:
    case FieldForm::kTemporality:
    case FieldForm::kMonotonic:
    case FieldForm::kAttributes:
      return evaluation.fail("this field cannot be set");
    default:
      return write_point(evaluation, *message, field.form, value);
  }
}

}  // namespace vigia::ottl::internal
