#include "services/collector/exporters/debug/item_text.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "libs/base/base64.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/json_text.hpp"
#include "libs/base/protobuf_reader.hpp"
#include "libs/base/utf8.hpp"
#include "libs/wire/otlp/json_schema.hpp"
#include "libs/wire/otlp/points.hpp"

namespace vigia::collector::exporters::debug {
namespace {

using wire::otlp::JsonField;
using wire::otlp::JsonKind;
using wire::otlp::JsonMessage;
using wire::otlp::MetricKind;

/// Above what an AnyValue nests in, with the messages around it.
constexpr int kDepthMax = 2 * wire::otlp::kAnyValueDepthMax + 16;

std::string cut(std::string text) {
  if (text.size() <= kTextBytesMax) return text;
  text.resize(utf8_beginning(text, kTextBytesMax).size());
  return text + "…";
}

std::string number_text(double value) {
  // ProtoJSON, "Infinity" and the like: as texts.
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  return fmt::format("{}", value);
}

/// One message at a time into a text that is cut soon.
class MessageText {
 public:
  std::string take() && { return cut(std::move(out_)); }

  void message(const JsonMessage& schema, std::string_view bytes, int depth = 0) {
    out_ += '{';
    bool is_first = true;
    for (const JsonField& field : schema.fields) {
      if (is_full() || depth >= kDepthMax) break;
      write_field(field, bytes, depth, is_first);
    }
    out_ += '}';
  }

 private:
  bool is_full() const { return out_.size() > kTextBytesMax; }

  void write_field(const JsonField& field, std::string_view bytes, int depth, bool& is_first) {
    bool is_begun = false;
    ProtobufReader reader(bytes.data(), bytes.size());
    while (!is_full() && reader.next(field.number)) {
      if (!is_of(field, reader.wire_type())) {  // a field that OTLP does not know
        reader.skip();
        continue;
      }
      if (!is_begun) out_ += fmt::format(R"({}"{}":)", is_first ? "" : ",", field.key);
      if (field.is_repeated) out_ += is_begun ? ',' : '[';
      is_begun = true;
      is_first = false;
      write_values(field, reader, depth);
      if (!field.is_repeated) break;
    }
    if (is_begun && field.is_repeated) out_ += ']';
  }

  static bool is_number(JsonKind kind) {
    return kind >= JsonKind::kBool && kind <= JsonKind::kDouble;
  }

  static bool is_of(const JsonField& field, protozero::pbf_wire_type type) {
    using Type = protozero::pbf_wire_type;
    if (!is_number(field.kind)) return type == Type::length_delimited;
    if (field.is_repeated && type == Type::length_delimited) return true;  // packed
    const std::size_t width = width_of(field.kind);
    return type == (width == 8 ? Type::fixed64 : width == 4 ? Type::fixed32 : Type::varint);
  }

  void write_values(const JsonField& field, ProtobufReader& reader, int depth) {
    if (field.kind == JsonKind::kMessage) return message(*field.message, view(reader), depth + 1);
    if (is_number(field.kind) && reader.wire_type() == protozero::pbf_wire_type::length_delimited)
      return write_packed(field, view(reader));
    write_value(field, reader);
  }

  static std::string_view view(ProtobufReader& reader) {
    const protozero::data_view bytes = reader.get_view();
    return {bytes.data(), bytes.size()};
  }

  /// Numbers one behind the other, as a message of one number each.
  void write_packed(const JsonField& field, std::string_view bytes) {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    bool is_first = true;
    while (at < end && !is_full()) {
      if (!std::exchange(is_first, false)) out_ += ',';
      if (const std::size_t width = width_of(field.kind); width > 0) {
        if (static_cast<std::size_t>(end - at) < width) throw protozero::end_of_buffer_exception();
        std::uint64_t raw = 0;
        for (std::size_t i = 0; i < width; ++i)
          raw |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
        at += width;
        append_number(field.kind, raw);
      } else {
        append_number(field.kind, protozero::decode_varint(&at, end));
      }
    }
  }

  static std::size_t width_of(JsonKind kind) {
    if (kind == JsonKind::kFixed32) return 4;
    const bool is_wide =
        kind == JsonKind::kFixed64 || kind == JsonKind::kSfixed64 || kind == JsonKind::kDouble;
    return is_wide ? 8 : 0;
  }

  void write_value(const JsonField& field, ProtobufReader& reader) {
    switch (field.kind) {
      case JsonKind::kText:
        return append_json_text(out_, view(reader));
      case JsonKind::kBase64:
        out_ += '"' + to_base64(view(reader)) + '"';
        return;
      case JsonKind::kHexId:
        out_ += '"' + to_hex(view(reader)) + '"';
        return;
      default:
        break;
    }
    if (width_of(field.kind) == 8) return append_number(field.kind, reader.get_fixed64());
    if (width_of(field.kind) == 4) return append_number(field.kind, reader.get_fixed32());
    append_number(field.kind, reader.get_uint64());
  }

  /// ProtoJSON: 64 bits wide ones are texts.
  void append_number(JsonKind kind, std::uint64_t raw) {
    switch (kind) {
      case JsonKind::kBool:
        out_ += raw != 0 ? "true" : "false";
        return;
      case JsonKind::kDouble:
        out_ += number_text(std::bit_cast<double>(raw));
        return;
      case JsonKind::kInt64:
      case JsonKind::kSfixed64:
        out_ += fmt::format("\"{}\"", static_cast<std::int64_t>(raw));
        return;
      case JsonKind::kUint64:
      case JsonKind::kFixed64:
        out_ += fmt::format("\"{}\"", raw);
        return;
      case JsonKind::kSint32:
        out_ += fmt::format("{}", protozero::decode_zigzag32(static_cast<std::uint32_t>(raw)));
        return;
      default:
        out_ += fmt::format("{}", static_cast<std::uint32_t>(raw));
    }
  }

  std::string out_;
};

/// The message behind these keys of a signal's request.
const JsonMessage& schema_at(Signal signal, std::initializer_list<std::string_view> keys) {
  const JsonMessage* at = &wire::otlp::json_request(signal);
  for (const std::string_view key : keys) at = at->find(key)->message;
  return *at;
}

std::string_view key_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::kSum:
      return "sum";
    case MetricKind::kHistogram:
      return "histogram";
    case MetricKind::kExponentialHistogram:
      return "exponentialHistogram";
    case MetricKind::kSummary:
      return "summary";
    default:
      return "gauge";
  }
}

const JsonMessage& schema_of(ShownPart part, MetricKind kind) {
  switch (part) {
    case ShownPart::kResource:
      return schema_at(Signal::kTraces, {"resourceSpans", "resource"});
    case ShownPart::kScope:
      return schema_at(Signal::kTraces, {"resourceSpans", "scopeSpans", "scope"});
    case ShownPart::kSpan:
      return schema_at(Signal::kTraces, {"resourceSpans", "scopeSpans", "spans"});
    case ShownPart::kLogRecord:
      return schema_at(Signal::kLogs, {"resourceLogs", "scopeLogs", "logRecords"});
    case ShownPart::kPoint:
      break;
  }
  return schema_at(Signal::kMetrics,
                   {"resourceMetrics", "scopeMetrics", "metrics", key_of(kind), "dataPoints"});
}

template <typename Point>
std::string counted_text(const Point& point) {
  return fmt::format("count={} sum={}", point.count, point.sum);
}

}  // namespace

std::string json_of(ShownPart part, std::string_view bytes, MetricKind kind) {
  MessageText writer;
  try {
    writer.message(schema_of(part, kind), bytes);
  } catch (const protozero::exception&) {
    // Intake has read it: what is cut short here is damage, which the reader of the log tells of.
  }
  return std::move(writer).take();
}

std::string attributes_text(const wire::otlp::Attributes& attributes) {
  std::string text;
  wire::otlp::for_each_attribute(attributes, [&](const wire::otlp::KeyValueView& pair) {
    if (text.size() > kTextBytesMax) return;
    if (!text.empty()) text += ' ';
    text += pair.key;
    text += '=';
    wire::otlp::append_value_text(text, pair.value);
  });
  return cut(std::move(text));
}

std::string value_text(MetricKind kind, std::string_view point) {
  wire::otlp::PointReader reader;
  switch (kind) {
    case MetricKind::kHistogram:
      return counted_text(reader.histogram(point));
    case MetricKind::kExponentialHistogram:
      return counted_text(reader.exponential(point));
    case MetricKind::kSummary:
      return counted_text(reader.summary(point));
    default:
      return fmt::format("{}", reader.number(point).value);
  }
}

}  // namespace vigia::collector::exporters::debug
