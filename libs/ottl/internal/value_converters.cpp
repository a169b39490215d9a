// Converters of values of any kind, and questions about them.
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/ottl/internal/function.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::otlp::MetricKind;
template <ValueForm kKind>
bool is_kind(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  out = Value::of_bool(value.kind == kKind);
  return true;
}

bool length(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  switch (value.kind) {
    case ValueForm::kString:
    case ValueForm::kBytes:
      out = Value::of_int(static_cast<std::int64_t>(value.bytes.size()));
      return true;
    case ValueForm::kMap:
    case ValueForm::kList:
      // The entries of one are written as the elements of the other.
      evaluation.charge(value.bytes.size());
      out = Value::of_int(static_cast<std::int64_t>(elements_of(value.bytes)));
      return true;
    default:
      return evaluation.fail("only texts, bytes, maps and lists have a length", call.offset);
  }
}

template <typename T>
bool parse_whole(std::string_view text, T& out) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && rest == end && !text.empty();
}

bool to_int(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  switch (value.kind) {
    case ValueForm::kNil:
      out = {};
      return true;
    case ValueForm::kInt:
    case ValueForm::kBool:
      out = Value::of_int(value.integer);
      return true;
    case ValueForm::kDouble:
      if (!(std::abs(value.real) < 9.2e18))
        return evaluation.fail("this number is no int", call.offset);
      out = Value::of_int(static_cast<std::int64_t>(value.real));
      return true;
    case ValueForm::kString: {
      std::int64_t whole = 0;
      if (!parse_whole(value.bytes, whole))
        return evaluation.fail("this text is no int", call.offset);
      out = Value::of_int(whole);
      return true;
    }
    default:
      return evaluation.fail("this value becomes no int", call.offset);
  }
}

bool to_double(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  switch (value.kind) {
    case ValueForm::kNil:
      out = {};
      return true;
    case ValueForm::kInt:
    case ValueForm::kBool:
      out = Value::of_double(static_cast<double>(value.integer));
      return true;
    case ValueForm::kDouble:
      out = value;
      return true;
    case ValueForm::kString: {
      double real = 0;
      if (!parse_whole(value.bytes, real))
        return evaluation.fail("this text is no number", call.offset);
      out = Value::of_double(real);
      return true;
    }
    default:
      return evaluation.fail("this value becomes no number", call.offset);
  }
}

/// Spellings of Go's ParseBool.
std::optional<bool> truth_of(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

bool to_bool(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  switch (value.kind) {
    case ValueForm::kNil:
      out = {};
      return true;
    case ValueForm::kInt:
    case ValueForm::kBool:
      out = Value::of_bool(value.integer != 0);
      return true;
    case ValueForm::kDouble:
      out = Value::of_bool(value.real != 0);
      return true;
    case ValueForm::kString: {
      const auto truth = truth_of(value.bytes);
      if (!truth) return evaluation.fail("this text is neither true nor false", call.offset);
      out = Value::of_bool(*truth);
      return true;
    }
    default:
      return evaluation.fail("this value becomes neither true nor false", call.offset);
  }
}

/// What is written here is converted when the file is read.
template <RunFunction kRun>
std::string check_written(const Call& call) {
  if (call.slots[0].getter->literal() == nullptr) return "";
  Evaluation evaluation;
  Value out;
  return kRun(call, evaluation, out) ? "" : std::string(evaluation.fault().what);
}

bool contains_value(const Call& call, Evaluation& evaluation, Value& out) {
  Value list;
  Value item;
  if (!call.slots[0].getter->get(evaluation, list) || !call.slots[1].getter->get(evaluation, item))
    return false;
  if (list.kind != ValueForm::kList)
    return evaluation.fail("this argument is no list", call.slots[0].offset);
  evaluation.charge(list.bytes.size());
  bool is_there = false;
  wire::otlp::FieldReader reader(list.bytes);
  while (!is_there && reader.next()) {
    if (reader.tag_and_type() == wire::otlp::ValuesField::kValues.tag) {
      evaluation.charge(item.bytes.size());  // once more for each element
      is_there = compare(read_any_value(reader.bytes()), item, Comparison::kEqual);
    } else {
      reader.skip();
    }
  }
  out = Value::of_bool(is_there);
  return true;
}

bool is_root_span(const Call& /*call*/, Evaluation& evaluation, Value& out) {
  const wire::edit::Editable* span = evaluation.record().at(MessageLevel::kSpan);
  if (span != nullptr) evaluation.charge(span->source().size());
  const std::string_view parent =
      span == nullptr ? std::string_view{} : span->bytes(wire::otlp::SpanField::kParentSpanId);
  out = Value::of_bool(parent.find_first_not_of('\0') == std::string_view::npos);
  return true;
}

template <std::size_t kBytes>
bool to_id(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  if (value.kind == ValueForm::kBytes && value.bytes.size() == kBytes) {
    out = value;
    return true;
  }
  if (value.kind == ValueForm::kString) {
    const auto bytes = from_hex(value.bytes);
    if (bytes && bytes->size() == kBytes) {
      std::string& made = evaluation.make();
      made = *bytes;
      out = Value::of_bytes(made);
      return true;
    }
  }
  return evaluation.fail("this is no id of that length", call.offset);
}

bool to_hex_digits(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  std::string& made = evaluation.make();
  switch (value.kind) {
    case ValueForm::kNil:
      break;
    case ValueForm::kString:
    case ValueForm::kBytes:
      made = to_hex(value.bytes);
      break;
    case ValueForm::kBool:
      made = value.integer != 0 ? "01" : "00";
      break;
    case ValueForm::kInt:
      made = fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value.integer));
      break;
    case ValueForm::kDouble:
      made = fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value.real));
      break;
    default:
      return evaluation.fail("a value of this kind has no hexadecimal digits", call.offset);
  }
  out = Value::of_string(made);
  return evaluation.keep(made);
}

/// Calls visit(any_value) for each attribute of that key of each point of the metric.
template <typename Visit>
void for_each_value_of(const Record& record, std::string_view key, Visit&& visit) {
  const wire::otlp::ProtoField field = [&] {
    switch (record.metric_kind) {
      case MetricKind::kHistogram:
        return wire::otlp::HistogramPointField::kAttributes;
      case MetricKind::kExponentialHistogram:
        return wire::otlp::ExponentialPointField::kAttributes;
      default:
        return wire::otlp::NumberPointField::kAttributes;  // a summary's too
    }
  }();
  wire::otlp::FieldReader reader(record.metric_data);
  while (reader.next()) {
    if (reader.tag_and_type() != wire::otlp::MetricDataField::kPoints.tag) {
      reader.skip();
      continue;
    }
    wire::otlp::for_each_attribute({reader.bytes(), field.number},
                                   [&](const wire::otlp::KeyValueView& entry) {
                                     if (entry.key == key) visit(entry.value);
                                   });
  }
}

template <bool kWithValue>
bool has_attribute_on_point(const Call& call, Evaluation& evaluation, Value& out) {
  const Record& record = evaluation.record();
  evaluation.charge(record.metric_data.size());
  bool has_it = false;
  for_each_value_of(record, call.slots[0].text, [&](std::string_view any_value) {
    has_it = has_it || !kWithValue || wire::otlp::string_value(any_value) == call.slots[1].text;
  });
  out = Value::of_bool(has_it);
  return true;
}

constexpr std::array<Parameter, 0> kNothing{};
constexpr std::array<Parameter, 1> kAny{{{"target", ParameterForm::kAny}}};
/// Asked of something that is written here, the answer would be the same for all: a mistake.
template <ValueForm kKind>
constexpr std::array<Parameter, 1> kAsked{{{"target", ParameterForm::kAny, false, kKind}}};
constexpr std::array<Parameter, 1> kNumberLike{{{"target", ParameterForm::kNumberLike}}};
constexpr std::array<Parameter, 1> kId{{{"bytes", ParameterForm::kAny}}};
constexpr std::array<Parameter, 2> kContains{
    {{"target", ParameterForm::kList}, {"item", ParameterForm::kAny}}};
constexpr std::array<Parameter, 1> kKey{{{"key", ParameterForm::kText}}};
constexpr std::array<Parameter, 2> kKeyValue{
    {{"key", ParameterForm::kText}, {"value", ParameterForm::kText}}};

constexpr ValueForm kBool = ValueForm::kBool;

constexpr std::array kConverters{
    Function{"IsString", kAsked<ValueForm::kString>, is_kind<ValueForm::kString>, kBool},
    Function{"IsInt", kAsked<ValueForm::kInt>, is_kind<ValueForm::kInt>, kBool},
    Function{"IsDouble", kAsked<ValueForm::kDouble>, is_kind<ValueForm::kDouble>, kBool},
    Function{"IsBool", kAsked<ValueForm::kBool>, is_kind<ValueForm::kBool>, kBool},
    Function{"IsMap", kAsked<ValueForm::kMap>, is_kind<ValueForm::kMap>, kBool},
    Function{"IsList", kAny, is_kind<ValueForm::kList>, kBool},
    Function{"IsRootSpan", kNothing, is_root_span, kBool, nullptr, Context::kSpan},
    Function{"Len", kAny, length, ValueForm::kInt},
    Function{"Int", kNumberLike, to_int, ValueForm::kNil, check_written<to_int>},
    Function{"Double", kNumberLike, to_double, ValueForm::kNil, check_written<to_double>},
    Function{"Bool", kNumberLike, to_bool, ValueForm::kNil, check_written<to_bool>},
    Function{"ContainsValue", kContains, contains_value, kBool},
    Function{"TraceID", kId, to_id<16>, ValueForm::kBytes, check_written<to_id<16>>},
    Function{"SpanID", kId, to_id<8>, ValueForm::kBytes, check_written<to_id<8>>},
    Function{"Hex", kAny, to_hex_digits, ValueForm::kString},
    Function{"HasAttrKeyOnDatapoint", kKey, has_attribute_on_point<false>, kBool, nullptr,
             Context::kMetric},
    Function{"HasAttrOnDatapoint", kKeyValue, has_attribute_on_point<true>, kBool, nullptr,
             Context::kMetric},
};

}  // namespace

std::span<const Function> value_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
