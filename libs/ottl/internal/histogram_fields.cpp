#include "libs/ottl/internal/histogram_fields.hpp"

#include <bit>
#include <cstring>

#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

#include "libs/ottl/internal/any_value.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::edit::Editable;
using wire::otlp::BucketsField;
using wire::otlp::ExponentialPointField;
using wire::otlp::HistogramPointField;
using wire::otlp::MetricKind;
using wire::otlp::ProtoField;

std::int64_t signed_of(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }

/// The next of packed numbers, which is taken off.
std::uint64_t take_number(std::string_view& packed, bool is_fixed) {
  const char* at = packed.data();
  std::uint64_t number = 0;
  if (is_fixed) {
    if (packed.size() < sizeof(number)) throw protozero::end_of_buffer_exception{};
    std::memcpy(&number, at, sizeof(number));
    packed.remove_prefix(sizeof(number));
    return number;
  }
  number = protozero::decode_varint(&at, packed.data() + packed.size());
  packed.remove_prefix(static_cast<std::size_t>(at - packed.data()));
  return number;
}

/// Whole numbers or floats, packed or each for itself, as a list.
struct NumbersField {
  ProtoField packed;
  ProtoField alone;
  bool is_float;
};

void append_number(std::string& array, std::string& element, std::uint64_t bits, bool is_float) {
  element.clear();
  append_any_value(element, is_float ? Value::of_double(std::bit_cast<double>(bits))
                                     : Value::of_int(signed_of(bits)));
  append_element(array, element);
}

bool read_numbers(Evaluation& evaluation, std::string_view message, const NumbersField& field,
                  Value& out) {
  const bool is_fixed = field.alone.tag == ProtoField::fixed64(field.alone.number).tag;
  std::string& array = evaluation.make();
  std::string& element = evaluation.make();
  wire::otlp::FieldReader reader(message);
  while (reader.next() && array.size() <= kMessageBytesMax) {
    if (reader.tag_and_type() == field.alone.tag) {
      append_number(array, element, is_fixed ? reader.fixed64() : reader.varint(), field.is_float);
    } else if (reader.tag_and_type() == field.packed.tag) {
      std::string_view rest = reader.bytes();
      while (!rest.empty() && array.size() <= kMessageBytesMax)
        append_number(array, element, take_number(rest, is_fixed), field.is_float);
    } else {
      reader.skip();
    }
  }
  out = Value::of_list(array);
  return evaluation.keep(array);
}

}  // namespace

bool read_histogram(Evaluation& evaluation, const Editable& point, FieldForm form, Value& out) {
  const MetricKind kind = evaluation.record().metric_kind;
  if (form == FieldForm::kPointBuckets || form == FieldForm::kPointBounds) {
    if (kind != MetricKind::kHistogram) return true;
    const NumbersField counts{HistogramPointField::kBucketCounts,
                              HistogramPointField::kBucketCountsAlone, false};
    const NumbersField bounds{HistogramPointField::kBounds, HistogramPointField::kBoundsAlone,
                              true};
    return read_numbers(evaluation, point.source(),
                        form == FieldForm::kPointBuckets ? counts : bounds, out);
  }
  if (kind != MetricKind::kExponentialHistogram) return true;
  const bool is_positive =
      form == FieldForm::kPositiveOffset || form == FieldForm::kPositiveBuckets;
  const Editable buckets(point.bytes(is_positive ? ExponentialPointField::kPositive
                                                 : ExponentialPointField::kNegative));
  switch (form) {
    case FieldForm::kPointScale:
      out = Value::of_int(protozero::decode_zigzag64(point.number(ExponentialPointField::kScale)));
      return true;
    case FieldForm::kPointZeroCount:
      out = Value::of_int(signed_of(point.number(ExponentialPointField::kZeroCount)));
      return true;
    case FieldForm::kPositiveOffset:
    case FieldForm::kNegativeOffset:
      out = Value::of_int(protozero::decode_zigzag64(buckets.number(BucketsField::kOffset)));
      return true;
    default:
      return read_numbers(evaluation, buckets.source(),
                          {BucketsField::kCounts, BucketsField::kCountsAlone, false}, out);
  }
}

}  // namespace vigia::ottl::internal
