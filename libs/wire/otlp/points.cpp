#include "libs/wire/otlp/points.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::wire::otlp {
namespace {

/// Elements of a packed repeated fixed64 field; a stray unpacked one is read by the caller.
template <typename Value>
void append_packed(std::vector<Value>& out, std::string_view bytes) {
  static_assert(sizeof(Value) == 8);
  // Copied as it lies: fixed64 is little-endian on the wire and on every machine that we build for.
  if (bytes.size() % 8 != 0) throw protozero::invalid_length_exception{};
  const std::size_t before = out.size();
  out.resize(before + bytes.size() / 8);
  if (!bytes.empty()) std::memcpy(out.data() + before, bytes.data(), bytes.size());
}

void add_count(ExponentialBuckets& buckets, std::uint64_t count) {
  // Counts are a byte each on the wire and eight in memory: what is over the limit is only noted,
  // and the point refused with a reason (native_fault).
  if (buckets.counts.size() < kExponentialBucketsMax) {
    buckets.counts.push_back(count);
  } else {
    buckets.is_cut = true;
  }
}

void read_buckets(std::string_view bytes, ExponentialBuckets& buckets) {
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case BucketsField::kOffset.tag:
        buckets.offset = static_cast<std::int32_t>(reader.sint32());
        break;
      case BucketsField::kCountsAlone.tag:
        add_count(buckets, reader.varint());
        break;
      case BucketsField::kCounts.tag: {
        const auto packed = reader.bytes();
        const char* at = packed.data();
        const char* end = at + packed.size();
        while (at != end) add_count(buckets, protozero::decode_varint(&at, end));
        break;
      }
      default:
        reader.pass_over(BucketsField::kKnown);
    }
  }
}

Quantile read_quantile(std::string_view bytes) {
  Quantile quantile;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case QuantileField::kQuantile.tag:
        quantile.quantile = reader.real();
        break;
      case QuantileField::kValue.tag:
        quantile.value = reader.real();
        break;
      default:
        reader.pass_over(QuantileField::kKnown);
    }
  }
  return quantile;
}

/// Makes the room empty, keeping what it has allocated.
void clear(HistogramPoint& point) {
  // A body of histograms makes no allocation a point that the first one has not made.
  auto counts = std::move(point.bucket_counts);
  auto bounds = std::move(point.bounds);
  counts.clear();
  bounds.clear();
  point = HistogramPoint{};
  point.bucket_counts = std::move(counts);
  point.bounds = std::move(bounds);
}

void clear(ExponentialPoint& point) {
  auto positive = std::move(point.positive.counts);
  auto negative = std::move(point.negative.counts);
  positive.clear();
  negative.clear();
  point = ExponentialPoint{};
  point.positive.counts = std::move(positive);
  point.negative.counts = std::move(negative);
}

std::uint64_t load_u64(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Of tags below 128 the one byte on the wire is the tag.
constexpr char byte_of(ProtoField field) { return static_cast<char>(field.tag); }

constexpr char kAttributeTag = byte_of(NumberPointField::kAttributes);

/// Behind the run of attributes, each below 128 bytes, that begins there; null where one is not.
const char* skip_attributes(const char* at, const char* end) {
  do {
    if (end - at < 2) return nullptr;
    const auto size = static_cast<unsigned char>(at[1]);
    if (size >= 0x80 || end - at - 2 < size) return nullptr;
    at += 2 + size;
  } while (at != end && *at == kAttributeTag);
  return at;
}

/// The number point that nearly every encoder writes: one-byte tags, attributes in one run and each
/// below 128 bytes, no exemplars. False, with the point half read, for any other: the general
/// reader takes it then. Half the time of a point that is known already goes into finding its
/// fields.
bool read_plain(std::string_view bytes, NumberPoint& point) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (*at == kAttributeTag) {
      // A second run: only the general reader can put the two together.
      if (!point.attributes.bytes.empty()) return false;
      const char* const begin = at;
      at = skip_attributes(at, end);
      if (at == nullptr) return false;
      point.attributes.bytes = {begin, static_cast<std::size_t>(at - begin)};
      continue;
    }
    const char tag = *at++;
    if (tag == byte_of(NumberPointField::kFlags)) {
      if (at == end || (*at & 0x80) != 0) return false;
      point.flags = static_cast<std::uint32_t>(*at++);
      continue;
    }
    if (end - at < 8) return false;
    switch (tag) {
      case byte_of(NumberPointField::kStartTime):
        point.start_ns = load_u64(at);
        break;
      case byte_of(NumberPointField::kTime):
        point.time_ns = load_u64(at);
        break;
      case byte_of(NumberPointField::kDouble):
        point.value = std::bit_cast<double>(load_u64(at));
        point.has_value = true;
        break;
      case byte_of(NumberPointField::kInt):
        point.value = static_cast<double>(std::bit_cast<std::int64_t>(load_u64(at)));
        point.has_value = true;
        break;
      default:
        return false;
    }
    at += 8;
  }
  return true;
}

}  // namespace

template <typename Point>
void PointReader::take_attribute(Point& point, FieldReader& reader) {
  reader.skip();
  const char* begin = reader.field_begin();
  const auto size = static_cast<std::size_t>(reader.position() - begin);
  auto& run = point.attributes.bytes;
  if (run.empty()) {
    run = {begin, size};
  } else if (run.data() + run.size() == begin) {
    run = {run.data(), run.size() + size};
  } else {
    // Attributes that other fields stand between: gathered, so that whoever hashes or decodes them
    // sees one run, and the order in which an encoder wrote them makes no other series.
    if (run.data() != scattered_.data()) scattered_.assign(run);
    scattered_.append(begin, size);
    run = scattered_;
  }
}

const PointHeader& PointReader::header(MetricKind type, std::string_view bytes) {
  switch (type) {
    case MetricKind::kHistogram:
      return histogram(bytes);
    case MetricKind::kExponentialHistogram:
      return exponential(bytes);
    case MetricKind::kSummary:
      return summary(bytes);
    default:
      return number(bytes);
  }
}

const NumberPoint& PointReader::number(std::string_view bytes) {
  NumberPoint& point = number_;
  point = NumberPoint{};
  point.attributes.number = NumberPointField::kAttributes.number;
  if (read_plain(bytes, point)) return point;
  point = NumberPoint{};
  point.attributes.number = NumberPointField::kAttributes.number;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case NumberPointField::kAttributes.tag:
        take_attribute(point, reader);
        break;
      case NumberPointField::kStartTime.tag:
        point.start_ns = reader.fixed64();
        break;
      case NumberPointField::kTime.tag:
        point.time_ns = reader.fixed64();
        break;
      case NumberPointField::kDouble.tag:
        point.value = reader.real();
        point.has_value = true;
        break;
      case NumberPointField::kInt.tag:
        point.value = static_cast<double>(reader.sfixed64());
        point.has_value = true;
        break;
      case NumberPointField::kExemplars.tag:
        point.has_exemplars = true;
        reader.skip();
        break;
      case NumberPointField::kFlags.tag:
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.pass_over(NumberPointField::kKnown);
    }
  }
  return point;
}

const HistogramPoint& PointReader::histogram(std::string_view bytes) {
  // The reader's own and used again: its lists keep their room from one point to the next, and no
  // point costs an allocation.
  HistogramPoint& point = histogram_;
  clear(point);
  point.attributes.number = HistogramPointField::kAttributes.number;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case HistogramPointField::kAttributes.tag:
        take_attribute(point, reader);
        break;
      case HistogramPointField::kStartTime.tag:
        point.start_ns = reader.fixed64();
        break;
      case HistogramPointField::kTime.tag:
        point.time_ns = reader.fixed64();
        break;
      case HistogramPointField::kCount.tag:
        point.count = reader.fixed64();
        break;
      case HistogramPointField::kSum.tag:
        point.sum = reader.real();
        point.has_sum = true;
        break;
      case HistogramPointField::kBucketCounts.tag:
        append_packed(point.bucket_counts, reader.bytes());
        break;
      case HistogramPointField::kBucketCountsAlone.tag:
        point.bucket_counts.push_back(reader.fixed64());
        break;
      case HistogramPointField::kBounds.tag:
        point.bounds_bytes = reader.bytes();
        append_packed(point.bounds, point.bounds_bytes);
        break;
      case HistogramPointField::kBoundsAlone.tag:
        point.bounds.push_back(reader.real());
        break;
      case HistogramPointField::kExemplars.tag:
        point.has_exemplars = true;
        reader.skip();
        break;
      case HistogramPointField::kFlags.tag:
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.pass_over(HistogramPointField::kKnown);
    }
  }
  return point;
}

const ExponentialPoint& PointReader::exponential(std::string_view bytes) {
  ExponentialPoint& point = exponential_;
  clear(point);
  point.attributes.number = ExponentialPointField::kAttributes.number;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case ExponentialPointField::kAttributes.tag:
        take_attribute(point, reader);
        break;
      case ExponentialPointField::kStartTime.tag:
        point.start_ns = reader.fixed64();
        break;
      case ExponentialPointField::kTime.tag:
        point.time_ns = reader.fixed64();
        break;
      case ExponentialPointField::kCount.tag:
        point.count = reader.fixed64();
        break;
      case ExponentialPointField::kSum.tag:
        point.sum = reader.real();
        point.has_sum = true;
        break;
      case ExponentialPointField::kScale.tag:
        point.scale = static_cast<std::int32_t>(reader.sint32());
        break;
      case ExponentialPointField::kZeroCount.tag:
        point.zero_count = reader.fixed64();
        break;
      case ExponentialPointField::kPositive.tag:
        read_buckets(reader.bytes(), point.positive);
        break;
      case ExponentialPointField::kNegative.tag:
        read_buckets(reader.bytes(), point.negative);
        break;
      case ExponentialPointField::kFlags.tag:
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      case ExponentialPointField::kExemplars.tag:
        point.has_exemplars = true;
        reader.skip();
        break;
      case ExponentialPointField::kZeroThreshold.tag:
        point.zero_threshold = reader.real();
        break;
      default:
        reader.pass_over(ExponentialPointField::kKnown);
    }
  }
  return point;
}

const SummaryPoint& PointReader::summary(std::string_view bytes) {
  SummaryPoint& point = summary_;
  auto quantiles = std::move(point.quantiles);
  quantiles.clear();
  point = SummaryPoint{};
  point.quantiles = std::move(quantiles);
  point.attributes.number = SummaryPointField::kAttributes.number;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case SummaryPointField::kAttributes.tag:
        take_attribute(point, reader);
        break;
      case SummaryPointField::kStartTime.tag:
        point.start_ns = reader.fixed64();
        break;
      case SummaryPointField::kTime.tag:
        point.time_ns = reader.fixed64();
        break;
      case SummaryPointField::kCount.tag:
        point.count = reader.fixed64();
        break;
      case SummaryPointField::kSum.tag:
        point.sum = reader.real();
        break;
      case SummaryPointField::kQuantiles.tag:
        point.quantiles.push_back(read_quantile(reader.bytes()));
        break;
      case SummaryPointField::kFlags.tag:
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.pass_over(SummaryPointField::kKnown);
    }
  }
  // R-PM-9. So their order makes no other series. NaN behind all else, or the order would be none.
  const auto is_less = [](const Quantile& left, const Quantile& right) {
    if (std::isnan(right.quantile)) return !std::isnan(left.quantile);
    return left.quantile < right.quantile;
  };
  if (!std::is_sorted(point.quantiles.begin(), point.quantiles.end(), is_less))
    std::stable_sort(point.quantiles.begin(), point.quantiles.end(), is_less);
  return point;
}

std::uint32_t exemplar_field(MetricKind type) {
  switch (type) {
    case MetricKind::kHistogram:
      return HistogramPointField::kExemplars.number;
    case MetricKind::kExponentialHistogram:
      return ExponentialPointField::kExemplars.number;
    default:
      return NumberPointField::kExemplars.number;
  }
}

Exemplar read_exemplar(std::string_view bytes) {
  Exemplar exemplar;
  exemplar.attributes = {bytes, ExemplarField::kAttributes.number};
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case ExemplarField::kTime.tag:
        exemplar.time_ns = reader.fixed64();
        break;
      case ExemplarField::kDouble.tag:
        exemplar.value = reader.real();
        break;
      case ExemplarField::kSpanId.tag:
        exemplar.span_id = reader.bytes();
        break;
      case ExemplarField::kTraceId.tag:
        exemplar.trace_id = reader.bytes();
        break;
      case ExemplarField::kInt.tag:
        exemplar.value = static_cast<double>(reader.sfixed64());
        break;
      default:
        reader.skip();
    }
  }
  return exemplar;
}

}  // namespace vigia::wire::otlp
