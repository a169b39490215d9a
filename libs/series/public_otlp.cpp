#include "libs/series/public_otlp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "libs/base/bytes.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/prometheus/verbatim.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"

namespace vigia::series {
namespace {

namespace otlp = wire::otlp;
namespace prometheus = wire::prometheus;
namespace protocol = wire::remote_write;

using protozero::pbf_writer;

// As many as the OTLP that we take ourselves may have on one side.
constexpr std::int64_t kBucketsMax = 320;
constexpr std::int32_t kScaleMin = -10;

void append_message(std::string& out, std::uint32_t number, std::string_view bytes) {
  append_varint(out, (std::uint64_t{number} << 3U) | 2U);
  append_sized(out, bytes);
}

std::string_view field_bytes(const otlp::FieldReader& reader) {
  return {reader.field_begin(), static_cast<std::size_t>(reader.position() - reader.field_begin())};
}

std::uint64_t whole(double count) {
  if (!(count > 0)) return 0;
  constexpr double kMost = 9.2e18;
  return static_cast<std::uint64_t>(std::llround(std::min(count, kMost)));
}

/// Buckets that hold something, by OTLP's index, ascending.
struct Side {
  std::vector<std::pair<std::int64_t, std::uint64_t>> buckets;

  void add(std::int64_t index, std::uint64_t count) {
    if (count > 0) buckets.emplace_back(index, count);
  }
  std::int64_t width() const {
    return buckets.empty() ? 0 : buckets.back().first - buckets.front().first + 1;
  }
  void halve() {
    std::vector<std::pair<std::int64_t, std::uint64_t>> merged;
    for (const auto& [index, count] : buckets) {
      const std::int64_t half = index >> 1;
      if (!merged.empty() && merged.back().first == half)
        merged.back().second += count;
      else
        merged.emplace_back(half, count);
    }
    buckets = std::move(merged);
  }
  std::vector<std::uint64_t> dense() const {
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(width()));
    for (const auto& [index, count] : buckets)
      counts[static_cast<std::size_t>(index - buckets.front().first)] = count;
    return counts;
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& bucket : buckets) sum += bucket.second;
    return sum;
  }
};

/// `base` is taken from Prometheus' index: its bucket i ends where OTLP's i - 1 does.
Side side_of(const protocol::Buckets& buckets, bool is_float, std::int64_t base) {
  Side side;
  std::int64_t index = -base;
  std::size_t next = 0;
  std::uint64_t count = 0;
  for (const protocol::BucketSpan& span : buckets.spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length; ++i, ++index, ++next) {
      if (is_float ? next >= buckets.counts.size() : next >= buckets.deltas.size()) return side;
      count = is_float ? whole(buckets.counts[next])
                       : count + static_cast<std::uint64_t>(buckets.deltas[next]);
      side.add(index, count);
    }
  }
  return side;
}

/// What a point has beside its buckets.
struct PointFrame {
  std::string attributes;  ///< fields, by the number of exponential points
  std::uint64_t start_ns = 0;
  std::uint64_t time_ns = 0;
  std::uint32_t flags = 0;
};

PointFrame read_frame(std::string_view point) {
  using Field = otlp::ExponentialPointField;
  PointFrame frame;
  otlp::FieldReader reader(point);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case Field::kAttributes.tag:
        reader.skip();
        frame.attributes += field_bytes(reader);
        break;
      case Field::kStartTime.tag:
        frame.start_ns = reader.fixed64();
        break;
      case Field::kTime.tag:
        frame.time_ns = reader.fixed64();
        break;
      case Field::kFlags.tag:
        frame.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.skip();
    }
  }
  return frame;
}

/// Numbers of start, time, count, sum and flags are alike in both kinds of histogram.
void write_frame(pbf_writer& writer, const PointFrame& frame) {
  using Field = otlp::ExponentialPointField;
  if (frame.start_ns > 0) writer.add_fixed64(Field::kStartTime.number, frame.start_ns);
  writer.add_fixed64(Field::kTime.number, frame.time_ns);
  if (frame.flags != 0) writer.add_uint32(Field::kFlags.number, frame.flags);
}

std::string exponential_point(const PointFrame& frame, const protocol::NativeHistogram& histogram) {
  using Field = otlp::ExponentialPointField;
  std::string point = frame.attributes;
  pbf_writer writer(point);
  write_frame(writer, frame);
  if (histogram.is_stale()) return point;
  Side positive = side_of(histogram.positive, histogram.is_float, 1);
  Side negative = side_of(histogram.negative, histogram.is_float, 1);
  std::int32_t scale = histogram.schema;
  for (; std::max(positive.width(), negative.width()) > kBucketsMax && scale > kScaleMin; --scale) {
    positive.halve();
    negative.halve();
  }
  const std::uint64_t zero =
      histogram.is_float ? whole(histogram.float_zero_count) : histogram.zero_count;
  const std::uint64_t total = positive.total() + negative.total() + zero;
  writer.add_fixed64(Field::kCount.number, histogram.is_float ? total : histogram.count);
  if (!std::isnan(histogram.sum)) writer.add_double(Field::kSum.number, histogram.sum);
  writer.add_sint32(Field::kScale.number, scale);
  writer.add_fixed64(Field::kZeroCount.number, zero);
  writer.add_double(Field::kZeroThreshold.number, histogram.zero_threshold);
  const auto add_side = [&writer](std::uint32_t number, const Side& side) {
    if (side.buckets.empty()) return;
    pbf_writer buckets(writer, number);
    buckets.add_sint32(otlp::BucketsField::kOffset.number,
                       static_cast<std::int32_t>(side.buckets.front().first));
    const auto counts = side.dense();
    buckets.add_packed_uint64(otlp::BucketsField::kCounts.number, counts.begin(), counts.end());
  };
  add_side(Field::kPositive.number, positive);
  add_side(Field::kNegative.number, negative);
  return point;
}

std::string explicit_point(const PointFrame& frame, const protocol::NativeHistogram& histogram) {
  using Field = otlp::HistogramPointField;
  std::string point;
  otlp::FieldReader attributes(frame.attributes);
  while (attributes.next()) append_message(point, Field::kAttributes.number, attributes.bytes());
  pbf_writer writer(point);
  write_frame(writer, frame);
  const auto& bounds = histogram.custom_bounds;
  std::vector<std::uint64_t> counts(bounds.size() + 1);
  std::uint64_t total = 0;
  for (const auto& [index, count] : side_of(histogram.positive, histogram.is_float, 0).buckets) {
    if (index < 0 || index >= static_cast<std::int64_t>(counts.size())) continue;
    counts[static_cast<std::size_t>(index)] = count;
    total += count;
  }
  writer.add_fixed64(Field::kCount.number, histogram.is_float ? total : histogram.count);
  if (!std::isnan(histogram.sum)) writer.add_double(Field::kSum.number, histogram.sum);
  writer.add_packed_fixed<std::uint64_t>(Field::kBucketCounts.number, counts.begin(), counts.end());
  if (!bounds.empty())
    writer.add_packed_double(Field::kBounds.number, bounds.begin(), bounds.end());
  return point;
}

class Publisher {
 public:
  PublicOtlp run(std::string_view body) {
    PublicOtlp made;
    otlp::FieldReader reader(body);
    while (reader.next()) {
      if (reader.tag_and_type() != otlp::ExportRequestField::kGroups.tag) {
        reader.skip();
        made.body += field_bytes(reader);
        continue;
      }
      const std::string_view group = reader.bytes();
      if (is_own(group))
        append_message(made.body, otlp::ExportRequestField::kGroups.number, resource(group));
      else
        made.body += field_bytes(reader);
    }
    made.left_out = left_out_;
    return made;
  }

 private:
  static bool is_own(std::string_view group) {
    otlp::FieldReader reader(group);
    while (reader.next()) {
      if (reader.tag_and_type() == otlp::GroupField::kSchemaUrl.tag) {
        if (reader.bytes() == prometheus::kVerbatimSchemaUrl) return true;
      } else {
        reader.skip();
      }
    }
    return false;
  }

  std::string resource(std::string_view group) {
    std::string out;
    otlp::FieldReader reader(group);
    while (reader.next()) {
      if (reader.tag_and_type() == otlp::GroupField::kMembers.tag) {
        append_message(out, otlp::GroupField::kMembers.number, scope(reader.bytes()));
        continue;
      }
      const bool is_marker = reader.tag_and_type() == otlp::GroupField::kSchemaUrl.tag;
      reader.skip();
      if (!is_marker) out += field_bytes(reader);
    }
    return out;
  }

  std::string scope(std::string_view bytes) {
    std::string out;
    otlp::FieldReader reader(bytes);
    while (reader.next()) {
      if (reader.tag_and_type() == otlp::GroupField::kMembers.tag) {
        metric(out, reader.bytes());
      } else {
        reader.skip();
        out += field_bytes(reader);
      }
    }
    return out;
  }

  void metric(std::string& out, std::string_view bytes) {
    std::string head;
    std::string_view data;
    std::uint32_t kind = 0;
    otlp::FieldReader reader(bytes);
    while (reader.next()) {
      const bool is_data = reader.tag_and_type() == otlp::MetricField::kGauge.tag ||
                           reader.tag_and_type() == otlp::MetricField::kSum.tag ||
                           reader.tag_and_type() == otlp::MetricField::kExponentialHistogram.tag;
      if (is_data) {
        kind = reader.number();
        data = reader.bytes();
      } else {
        const bool is_metadata = reader.tag_and_type() == otlp::MetricField::kMetadata.tag;
        reader.skip();
        // What is said at times is no type of the points.
        if (!is_metadata || field_bytes(reader).find(prometheus::kSaidType) == std::string::npos)
          head += field_bytes(reader);
      }
    }
    if (kind == otlp::MetricField::kExponentialHistogram.number)
      histograms(out, head, data);
    else
      numbers(out, head, kind, data);
  }

  /// Without those that have no value.
  void numbers(std::string& out, const std::string& head, std::uint32_t kind,
               std::string_view data) {
    std::string kept;
    bool has_points = false;
    otlp::FieldReader reader(data);
    while (reader.next()) {
      if (reader.tag_and_type() == otlp::MetricDataField::kPoints.tag) {
        if (!prometheus::read_verbatim(reader.bytes()).exemplars.empty()) {
          ++left_out_;
          continue;
        }
        has_points = true;
      } else {
        reader.skip();
      }
      kept += field_bytes(reader);
    }
    if (!has_points) return;
    std::string metric = head;
    append_message(metric, kind, kept);
    append_message(out, otlp::GroupField::kMembers.number, metric);
  }

  void histograms(std::string& out, const std::string& head, std::string_view data) {
    otlp::FieldReader reader(data);
    while (reader.next()) {
      if (reader.tag_and_type() != otlp::MetricDataField::kPoints.tag) {
        reader.skip();
        continue;
      }
      const std::string_view point = reader.bytes();
      const auto histogram = protocol::decode_histogram(prometheus::read_verbatim(point).histogram);
      if (!histogram) {
        ++left_out_;  // intake has read it: damage
        continue;
      }
      add_histogram(out, head, read_frame(point), *histogram);
    }
  }

  static void add_histogram(std::string& out, const std::string& head, const PointFrame& frame,
                            const protocol::NativeHistogram& histogram) {
    const bool is_custom = histogram.schema == protocol::kCustomSchema;
    std::string data;
    append_message(
        data, otlp::MetricDataField::kPoints.number,
        is_custom ? explicit_point(frame, histogram) : exponential_point(frame, histogram));
    pbf_writer(data).add_enum(otlp::MetricDataField::kTemporality.number, 2);  // cumulative
    std::string metric = head;
    append_message(metric,
                   is_custom ? otlp::MetricField::kHistogram.number
                             : otlp::MetricField::kExponentialHistogram.number,
                   data);
    append_message(out, otlp::GroupField::kMembers.number, metric);
  }

  std::uint32_t left_out_ = 0;
};

}  // namespace

bool has_own_form(std::string_view body) {
  return body.find(prometheus::kVerbatimSchemaUrl) != std::string_view::npos;
}

Result<PublicOtlp> to_public_otlp(std::string_view body) {
  try {
    return Publisher().run(body);
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kInvalid, "the body is no OTLP request");
  }
}

}  // namespace vigia::series
