#include "libs/wire/remote_write/native_histogram.hpp"

#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/protobuf_reader.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_write {
namespace {

enum Field : protozero::pbf_tag_type {
  kCountInt = 1,
  kCountFloat = 2,
  kSum = 3,
  kSchema = 4,
  kZeroThreshold = 5,
  kZeroCountInt = 6,
  kZeroCountFloat = 7,
  kNegativeSpans = 8,
  kNegativeDeltas = 9,
  kNegativeCounts = 10,
  kPositiveSpans = 11,
  kPositiveDeltas = 12,
  kPositiveCounts = 13,
  kResetHint = 14,
  kTimestamp = 15,
  kCustomValues = 16,
};
enum BucketSpanField : protozero::pbf_tag_type { kOffset = 1, kLength = 2 };
constexpr std::int32_t kSchemaMin = -4;
constexpr std::int32_t kSchemaMax = 8;

// What a field of another wire type would give is undefined.
void expect(const ProtobufReader& reader, std::initializer_list<protozero::pbf_wire_type> types) {
  for (const auto type : types) {
    if (reader.wire_type() == type) return;
  }
  throw protozero::unknown_pbf_wire_type_exception();
}

void expect_type_of(const ProtobufReader& reader) {
  using protozero::pbf_wire_type;
  switch (reader.tag()) {
    case kCountInt:
    case kSchema:
    case kZeroCountInt:
    case kResetHint:
      return expect(reader, {pbf_wire_type::varint});
    case kCountFloat:
    case kSum:
    case kZeroThreshold:
    case kZeroCountFloat:
      return expect(reader, {pbf_wire_type::fixed64});
    case kNegativeSpans:
    case kPositiveSpans:
      return expect(reader, {pbf_wire_type::length_delimited});
    case kNegativeDeltas:
    case kPositiveDeltas:
      return expect(reader, {pbf_wire_type::varint, pbf_wire_type::length_delimited});
    case kNegativeCounts:
    case kPositiveCounts:
    case kCustomValues:
      return expect(reader, {pbf_wire_type::fixed64, pbf_wire_type::length_delimited});
    default:
      return;
  }
}

BucketSpan read_span(ProtobufReader reader) {
  BucketSpan span;
  while (reader.next()) {
    if (reader.tag() <= kLength) expect(reader, {protozero::pbf_wire_type::varint});
    if (reader.tag() == kOffset) {
      span.offset = reader.get_sint32();
    } else if (reader.tag() == kLength) {
      span.length = reader.get_uint32();
    } else {
      reader.skip();
    }
  }
  return span;
}

// Numbers may stand packed or one by one.
void read_deltas(ProtobufReader& reader, std::vector<std::int64_t>& deltas) {
  if (reader.wire_type() != protozero::pbf_wire_type::length_delimited) {
    deltas.push_back(reader.get_sint64());
    return;
  }
  for (const std::int64_t delta : reader.get_packed_sint64()) deltas.push_back(delta);
}

void read_doubles(ProtobufReader& reader, std::vector<double>& values) {
  if (reader.wire_type() != protozero::pbf_wire_type::length_delimited) {
    values.push_back(reader.get_double());
    return;
  }
  for (const double value : reader.get_packed_double()) values.push_back(value);
}

void read_buckets(ProtobufReader& reader, NativeHistogram& histogram) {
  const bool is_positive = reader.tag() >= kPositiveSpans;
  Buckets& buckets = is_positive ? histogram.positive : histogram.negative;
  switch (reader.tag()) {
    case kNegativeSpans:
    case kPositiveSpans:
      buckets.spans.push_back(read_span(reader.get_message()));
      break;
    case kNegativeDeltas:
    case kPositiveDeltas:
      read_deltas(reader, buckets.deltas);
      break;
    default:
      read_doubles(reader, buckets.counts);
  }
}

void read_field(ProtobufReader& reader, NativeHistogram& histogram) {
  switch (reader.tag()) {
    case kCountInt:
      histogram.count = reader.get_uint64();
      break;
    case kCountFloat:
      histogram.is_float = true;
      histogram.float_count = reader.get_double();
      break;
    case kSum:
      histogram.sum = reader.get_double();
      break;
    case kSchema:
      histogram.schema = reader.get_sint32();
      break;
    case kZeroThreshold:
      histogram.zero_threshold = reader.get_double();
      break;
    case kZeroCountInt:
      histogram.zero_count = reader.get_uint64();
      break;
    case kZeroCountFloat:
      histogram.float_zero_count = reader.get_double();
      break;
    case kResetHint:
      histogram.reset_hint = static_cast<ResetHint>(reader.get_enum() & 3);
      break;
    case kCustomValues:
      read_doubles(reader, histogram.custom_bounds);
      break;
    default:
      reader.skip();
  }
}

// Deltas and counts have the two numbers behind that of the spans.
void write_buckets(protozero::pbf_writer& writer, const Buckets& buckets,
                   protozero::pbf_tag_type spans) {
  for (const BucketSpan& span : buckets.spans) {
    protozero::pbf_writer message(writer, spans);
    message.add_sint32(kOffset, span.offset);
    message.add_uint32(kLength, span.length);
  }
  const auto& deltas = buckets.deltas;
  if (!deltas.empty()) writer.add_packed_sint64(spans + 1, deltas.begin(), deltas.end());
  const auto& counts = buckets.counts;
  if (!counts.empty()) writer.add_packed_double(spans + 2, counts.begin(), counts.end());
}

// Adds the buckets' counts to `observations`.
Result<void> check_buckets(const Buckets& buckets, bool is_float, std::uint64_t& observations) {
  std::uint64_t wanted = 0;
  for (std::size_t i = 0; i < buckets.spans.size(); ++i) {
    if (i > 0 && buckets.spans[i].offset < 0) {
      return fail(ErrorCode::kInvalid, "a histogram's span goes back");
    }
    wanted += buckets.spans[i].length;
  }
  const std::size_t given = is_float ? buckets.counts.size() : buckets.deltas.size();
  if (wanted != given) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a histogram's spans need {} buckets, it has {}", wanted, given));
  }
  for (const double count : buckets.counts) {
    if (count < 0) return fail(ErrorCode::kInvalid, "a histogram's bucket is negative");
  }
  std::uint64_t count = 0;
  for (const std::int64_t delta : buckets.deltas) {
    // In unsigned numbers: deltas are a sender's, and a signed sum that overflows is undefined.
    count += static_cast<std::uint64_t>(delta);
    if (static_cast<std::int64_t>(count) < 0) {
      return fail(ErrorCode::kInvalid, "a histogram's bucket is negative");
    }
    observations += count;
  }
  return {};
}

// Bounds that grow, none of them infinite, and no bucket beyond the last one and the one above it.
Result<void> check_custom(const NativeHistogram& histogram) {
  if (!histogram.negative.spans.empty() || histogram.zero_threshold != 0 ||
      histogram.zero_count != 0 || histogram.float_zero_count != 0) {
    return fail(ErrorCode::kInvalid, "a histogram of custom buckets has a zero or negative bucket");
  }
  double before = -std::numeric_limits<double>::infinity();
  for (const double bound : histogram.custom_bounds) {
    if (!(bound > before) || std::isinf(bound)) {
      return fail(ErrorCode::kInvalid, "a histogram's custom bounds do not grow or are infinite");
    }
    before = bound;
  }
  std::uint64_t reach = 0;
  for (const BucketSpan& span : histogram.positive.spans) {
    if (span.offset < 0) return fail(ErrorCode::kInvalid, "a histogram's span goes back");
    reach += static_cast<std::uint64_t>(span.offset) + span.length;
  }
  if (reach <= histogram.custom_bounds.size() + 1) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("a histogram's spans reach {} custom buckets, it has {}", reach,
                          histogram.custom_bounds.size() + 1));
}

// Prometheus takes any threshold, and then makes two of them one: of NaN, an infinite or a negative
// one that never ends, and stops all rules. An unknown schema ends a query.
Result<void> check_scale(const NativeHistogram& histogram) {
  if (!std::isfinite(histogram.zero_threshold) || histogram.zero_threshold < 0) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a histogram's zero_threshold is {}", histogram.zero_threshold));
  }
  if (histogram.schema == kCustomSchema) return check_custom(histogram);
  if (histogram.schema < kSchemaMin || histogram.schema > kSchemaMax) {
    return fail(ErrorCode::kInvalid, fmt::format("a histogram's schema is {}", histogram.schema));
  }
  if (histogram.custom_bounds.empty()) return {};
  return fail(ErrorCode::kInvalid, "a histogram that is not of custom buckets has their bounds");
}

}  // namespace

bool NativeHistogram::is_stale() const { return is_stale_mark(sum); }

Result<NativeHistogram> decode_histogram(std::string_view bytes) {
  NativeHistogram histogram;
  try {
    ProtobufReader reader(bytes.data(), bytes.size());
    while (reader.next()) {
      const auto tag = reader.tag();
      expect_type_of(reader);
      if (tag >= kNegativeSpans && tag <= kPositiveCounts) {
        read_buckets(reader, histogram);
      } else {
        read_field(reader, histogram);
      }
    }
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid, fmt::format("not a histogram: {}", damage.what()));
  }
  // Prometheus reads the list of the histogram's own kind and passes over the other.
  for (Buckets* buckets : {&histogram.positive, &histogram.negative}) {
    histogram.is_float ? buckets->deltas.clear() : buckets->counts.clear();
  }
  return histogram;
}

std::string encode_histogram(const NativeHistogram& histogram, TimestampMs time_ms) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  if (histogram.is_float) {
    writer.add_double(kCountFloat, histogram.float_count);
  } else {
    writer.add_uint64(kCountInt, histogram.count);
  }
  writer.add_double(kSum, histogram.sum);
  writer.add_sint32(kSchema, histogram.schema);
  writer.add_double(kZeroThreshold, histogram.zero_threshold);
  if (histogram.is_float) {
    writer.add_double(kZeroCountFloat, histogram.float_zero_count);
  } else {
    writer.add_uint64(kZeroCountInt, histogram.zero_count);
  }
  write_buckets(writer, histogram.negative, kNegativeSpans);
  write_buckets(writer, histogram.positive, kPositiveSpans);
  writer.add_enum(kResetHint, static_cast<std::int32_t>(histogram.reset_hint));
  writer.add_int64(kTimestamp, time_ms);
  const auto& bounds = histogram.custom_bounds;
  if (!bounds.empty()) writer.add_packed_double(kCustomValues, bounds.begin(), bounds.end());
  return bytes;
}

Result<void> check_histogram(const NativeHistogram& histogram) {
  // A stale mark carries nothing but its sum.
  if (histogram.is_stale()) return {};
  std::uint64_t observations = histogram.zero_count;
  for (const Buckets* buckets : {&histogram.positive, &histogram.negative}) {
    auto checked = check_buckets(*buckets, histogram.is_float, observations);
    if (!checked) return checked;
  }
  if (auto checked = check_scale(histogram); !checked) return checked;
  if (histogram.is_float) {
    if (histogram.float_count < 0 || histogram.float_zero_count < 0) {
      return fail(ErrorCode::kInvalid, "a histogram's count is negative");
    }
    return {};
  }
  const bool is_right =
      // An observed NaN counts without falling into a bucket, and makes the sum NaN.
      std::isnan(histogram.sum) ? observations <= histogram.count : observations == histogram.count;
  if (is_right) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("a histogram's buckets hold {} observations, its count is {}",
                          observations, histogram.count));
}

std::string without_reset_hint(std::string_view message, TimestampMs time_ms) {
  auto histogram = decode_histogram(message);
  const bool is_said = histogram && histogram->reset_hint != ResetHint::kUnknown &&
                       histogram->reset_hint != ResetHint::kGauge;
  if (!is_said) return std::string(message);
  histogram->reset_hint = ResetHint::kUnknown;
  return encode_histogram(*histogram, time_ms);
}

Result<NativeHistogram> sound_histogram(std::string_view bytes) {
  auto histogram = decode_histogram(bytes);
  if (!histogram) return histogram;
  if (auto checked = check_histogram(*histogram); !checked) return forward(checked);
  return histogram;
}

}  // namespace vigia::wire::remote_write
