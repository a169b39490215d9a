#include "libs/wire/prometheus/native_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

namespace vigia::wire::prometheus {
namespace {

constexpr std::int32_t kSchemaMax = 8;
constexpr std::int32_t kSchemaMin = -4;
constexpr double kDefaultZeroThreshold = 1e-128;
// Up to this many empty buckets are cheaper written out than a new span.
constexpr std::int64_t kGapMax = 2;

// Fields of prometheus.Histogram.
enum HistogramField : protozero::pbf_tag_type {
  kCountInt = 1,
  kSum = 3,
  kSchema = 4,
  kZeroThreshold = 5,
  kZeroCountInt = 6,
  kNegativeSpans = 8,
  kNegativeDeltas = 9,
  kPositiveSpans = 11,
  kPositiveDeltas = 12,
  kTimestamp = 15,
};

struct Span {
  std::int32_t offset = 0;
  std::uint32_t length = 0;
};

/// Buckets in Prometheus' layout: spans of indexes, counts as differences.
struct Layout {
  std::vector<Span> spans;
  std::vector<std::int64_t> deltas;
};

class LayoutBuilder {
 public:
  void add(std::int64_t index, std::uint64_t count) {
    if (count == 0) return;
    if (layout_.spans.empty() || index - next_ > kGapMax) {
      layout_.spans.push_back({static_cast<std::int32_t>(index - next_), 0});
    } else {
      for (; next_ < index; ++next_) push(0);
    }
    push(count);
    next_ = index + 1;
  }
  Layout take() { return std::move(layout_); }

 private:
  void push(std::uint64_t count) {
    ++layout_.spans.back().length;
    const auto value = static_cast<std::int64_t>(count);
    layout_.deltas.push_back(value - last_);
    last_ = value;
  }

  Layout layout_;
  std::int64_t next_ = 0;  // the index behind the last bucket
  std::int64_t last_ = 0;
};

/// Merges 2^shift neighbours; Prometheus' bucket i ends where OpenTelemetry's bucket i begins.
Layout lay_out(const otlp::ExponentialBuckets& buckets, std::int32_t shift) {
  LayoutBuilder builder;
  std::int64_t open_index = 0;
  std::uint64_t open_count = 0;
  std::int64_t at = buckets.offset;
  for (const std::uint64_t count : buckets.counts) {
    // An arithmetic shift rounds down also below 0, as merging buckets of a negative index needs.
    const std::int64_t index = (at >> shift) + 1;
    if (index != open_index) {
      builder.add(open_index, open_count);
      open_index = index;
      open_count = 0;
    }
    open_count += count;
    ++at;
  }
  builder.add(open_index, open_count);
  return builder.take();
}

void write_layout(protozero::pbf_writer& writer, const Layout& layout, HistogramField spans,
                  HistogramField deltas) {
  for (const Span& span : layout.spans) {
    protozero::pbf_writer inner(writer, spans);
    inner.add_sint32(1, span.offset);
    inner.add_uint32(2, span.length);
  }
  writer.add_packed_sint64(deltas, layout.deltas.begin(), layout.deltas.end());
}

// Counts this far within 64 bits: differences of two are exact, sums of three do not overflow.
constexpr std::uint64_t kCountMax = 1ULL << 62U;

/// All buckets of one side, nothing where they leave 32 bits by their index, or hold more than
/// kCountMax.
std::optional<std::uint64_t> total(const otlp::ExponentialBuckets& buckets) {
  const std::int64_t end =
      std::int64_t{buckets.offset} + static_cast<std::int64_t>(buckets.counts.size()) + 1;
  if (end > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  std::uint64_t sum = 0;
  for (const std::uint64_t count : buckets.counts) {
    if (count > kCountMax || (sum += count) > kCountMax) return std::nullopt;
  }
  return sum;
}

/// How many buckets lay_out makes of one side, or more than kNativeBucketsMax.
std::int64_t written(const otlp::ExponentialBuckets& buckets, std::int32_t shift) {
  std::int64_t written = 0;
  std::optional<std::int64_t> last;
  std::int64_t at = buckets.offset;
  for (const std::uint64_t count : buckets.counts) {
    const std::int64_t index = at++ >> shift;
    if (count == 0 || last == index) continue;
    const std::int64_t gap = last ? index - *last - 1 : 0;
    written += gap <= kGapMax ? gap + 1 : 1;
    if (written > kNativeBucketsMax) break;
    last = index;
  }
  return written;
}

/// Halvings until one side's buckets are few enough for a store: at least `shift`.
std::int32_t shift_of(const otlp::ExponentialBuckets& buckets, std::int32_t shift) {
  if (static_cast<std::int64_t>(buckets.counts.size()) <= kNativeBucketsMax) return shift;
  while (written(buckets, shift) > kNativeBucketsMax) ++shift;
  return shift;
}

/// The halvings of a point with that scale, from its own to the schema that it is written with.
std::int32_t shift_of(const otlp::ExponentialPoint& point) {
  // More than 31 halvings leave one bucket on each side of 1, as 31 do.
  const std::int32_t least = std::min(std::max(point.scale - kSchemaMax, 0), 31);
  return std::max(shift_of(point.positive, least), shift_of(point.negative, least));
}

bool has_known_sum(const otlp::ExponentialPoint& point) {
  return point.has_sum && !std::isnan(point.sum);
}

}  // namespace

RejectReason native_fault(const otlp::ExponentialPoint& point, std::string& why) {
  if (point.scale < kSchemaMin) return RejectReason::kUntranslatable;
  // With NaN Prometheus merges zero buckets for ever: one query would never end.
  if (!std::isfinite(point.zero_threshold) || point.zero_threshold < 0) {
    why = fmt::format("an exponential histogram's zero_threshold is {}", point.zero_threshold);
    return RejectReason::kInvalid;
  }
  if (point.positive.is_cut || point.negative.is_cut) {
    why = fmt::format("an exponential histogram has more than {} buckets a side",
                      otlp::kExponentialBucketsMax);
    return RejectReason::kInvalid;
  }
  const auto positive = total(point.positive);
  const auto negative = total(point.negative);
  if (!positive || !negative || point.zero_count > kCountMax) return RejectReason::kInvalid;
  if (point.scale - shift_of(point) < kSchemaMin) {
    why = fmt::format("an exponential histogram of scale {} with more than {} buckets a side",
                      point.scale, kNativeBucketsMax);
    return RejectReason::kUntranslatable;
  }
  const std::uint64_t inside = *positive + *negative + point.zero_count;
  if (inside == point.count) return RejectReason::kNone;
  // Prometheus' own rule (histogram.Validate): observations of NaN are counted and lie in no
  // bucket, and make the sum NaN.
  if (inside < point.count && !has_known_sum(point)) return RejectReason::kNone;
  why = fmt::format("an exponential histogram's count is {}, its zero_count and buckets are {}",
                    point.count, inside);
  return RejectReason::kInvalid;
}

std::string native_histogram(const otlp::ExponentialPoint& point, TimestampMs timestamp_ms) {
  std::string out;
  protozero::pbf_writer writer(out);
  const std::int32_t shift = point.is_stale() ? 0 : shift_of(point);
  const std::int32_t schema = std::clamp(point.scale - shift, kSchemaMin, kSchemaMax);
  const double threshold = point.zero_threshold == 0 ? kDefaultZeroThreshold : point.zero_threshold;
  if (point.is_stale()) {
    writer.add_uint64(kCountInt, 0);
    // Prometheus knows a stale histogram by its sum alone.
    writer.add_double(kSum, stale_mark());
    writer.add_sint32(kSchema, schema);
    writer.add_double(kZeroThreshold, threshold);
    writer.add_uint64(kZeroCountInt, 0);
  } else {
    writer.add_uint64(kCountInt, point.count);
    writer.add_double(kSum, normalized(has_known_sum(point) ? point.sum : std::nan("")));
    writer.add_sint32(kSchema, schema);
    writer.add_double(kZeroThreshold, threshold);
    writer.add_uint64(kZeroCountInt, point.zero_count);
    write_layout(writer, lay_out(point.negative, shift), kNegativeSpans, kNegativeDeltas);
    write_layout(writer, lay_out(point.positive, shift), kPositiveSpans, kPositiveDeltas);
  }
  writer.add_int64(kTimestamp, timestamp_ms);
  return out;
}

}  // namespace vigia::wire::prometheus
