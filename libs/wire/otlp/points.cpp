#include "libs/wire/otlp/points.hpp"

#include <bit>
#include <cstring>

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
      case varint_field(1):
        buckets.offset = static_cast<std::int32_t>(reader.sint32());
        break;
      case varint_field(2):
        add_count(buckets, reader.varint());
        break;
      case bytes_field(2): {
        const auto packed = reader.bytes();
        const char* at = packed.data();
        const char* end = at + packed.size();
        while (at != end) add_count(buckets, protozero::decode_varint(&at, end));
        break;
      }
      default:
        reader.skip();
    }
  }
}

Quantile read_quantile(std::string_view bytes) {
  Quantile quantile;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case fixed64_field(1):
        quantile.quantile = reader.real();
        break;
      case fixed64_field(2):
        quantile.value = reader.real();
        break;
      default:
        reader.skip();
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

constexpr std::uint32_t kNumberAttributes = 7;

std::uint64_t load_u64(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr char kAttributeTag = 0x3a;  // 7, length-delimited

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
    if (tag == 0x40) {  // 8, varint
      if (at == end || (*at & 0x80) != 0) return false;
      point.flags = static_cast<std::uint32_t>(*at++);
      continue;
    }
    if (end - at < 8) return false;
    switch (tag) {
      case 0x11:  // 2, fixed64
        point.start_ns = load_u64(at);
        break;
      case 0x19:  // 3, fixed64
        point.time_ns = load_u64(at);
        break;
      case 0x21:  // 4, fixed64
        point.value = std::bit_cast<double>(load_u64(at));
        point.has_value = true;
        break;
      case 0x31:  // 6, fixed64
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

const PointHeader& PointReader::header(MetricType type, std::string_view bytes) {
  switch (type) {
    case MetricType::kHistogram:
      return histogram(bytes);
    case MetricType::kExponentialHistogram:
      return exponential(bytes);
    case MetricType::kSummary:
      return summary(bytes);
    default:
      return number(bytes);
  }
}

const NumberPoint& PointReader::number(std::string_view bytes) {
  NumberPoint& point = number_;
  point = NumberPoint{};
  point.attributes.number = kNumberAttributes;
  if (read_plain(bytes, point)) return point;
  point = NumberPoint{};
  point.attributes.number = kNumberAttributes;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(7):
        take_attribute(point, reader);
        break;
      case fixed64_field(2):
        point.start_ns = reader.fixed64();
        break;
      case fixed64_field(3):
        point.time_ns = reader.fixed64();
        break;
      case fixed64_field(4):
        point.value = reader.real();
        point.has_value = true;
        break;
      case fixed64_field(6):
        point.value = static_cast<double>(reader.sfixed64());
        point.has_value = true;
        break;
      case bytes_field(5):
        point.has_exemplars = true;
        reader.skip();
        break;
      case varint_field(8):
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.skip();
    }
  }
  return point;
}

const HistogramPoint& PointReader::histogram(std::string_view bytes) {
  HistogramPoint& point = histogram_;
  clear(point);
  point.attributes.number = 9;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(9):
        take_attribute(point, reader);
        break;
      case fixed64_field(2):
        point.start_ns = reader.fixed64();
        break;
      case fixed64_field(3):
        point.time_ns = reader.fixed64();
        break;
      case fixed64_field(4):
        point.count = reader.fixed64();
        break;
      case fixed64_field(5):
        point.sum = reader.real();
        point.has_sum = true;
        break;
      case bytes_field(6):
        append_packed(point.bucket_counts, reader.bytes());
        break;
      case fixed64_field(6):
        point.bucket_counts.push_back(reader.fixed64());
        break;
      case bytes_field(7):
        point.bounds_bytes = reader.bytes();
        append_packed(point.bounds, point.bounds_bytes);
        break;
      case fixed64_field(7):
        point.bounds.push_back(reader.real());
        break;
      case bytes_field(8):
        point.has_exemplars = true;
        reader.skip();
        break;
      case varint_field(10):
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.skip();
    }
  }
  return point;
}

const ExponentialPoint& PointReader::exponential(std::string_view bytes) {
  ExponentialPoint& point = exponential_;
  clear(point);
  point.attributes.number = 1;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(1):
        take_attribute(point, reader);
        break;
      case fixed64_field(2):
        point.start_ns = reader.fixed64();
        break;
      case fixed64_field(3):
        point.time_ns = reader.fixed64();
        break;
      case fixed64_field(4):
        point.count = reader.fixed64();
        break;
      case fixed64_field(5):
        point.sum = reader.real();
        point.has_sum = true;
        break;
      case varint_field(6):
        point.scale = static_cast<std::int32_t>(reader.sint32());
        break;
      case fixed64_field(7):
        point.zero_count = reader.fixed64();
        break;
      case bytes_field(8):
        read_buckets(reader.bytes(), point.positive);
        break;
      case bytes_field(9):
        read_buckets(reader.bytes(), point.negative);
        break;
      case varint_field(10):
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      case bytes_field(11):
        point.has_exemplars = true;
        reader.skip();
        break;
      case fixed64_field(14):
        point.zero_threshold = reader.real();
        break;
      default:
        reader.skip();
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
  point.attributes.number = 7;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case bytes_field(7):
        take_attribute(point, reader);
        break;
      case fixed64_field(2):
        point.start_ns = reader.fixed64();
        break;
      case fixed64_field(3):
        point.time_ns = reader.fixed64();
        break;
      case fixed64_field(4):
        point.count = reader.fixed64();
        break;
      case fixed64_field(5):
        point.sum = reader.real();
        break;
      case bytes_field(6):
        point.quantiles.push_back(read_quantile(reader.bytes()));
        break;
      case varint_field(8):
        point.flags = static_cast<std::uint32_t>(reader.varint());
        break;
      default:
        reader.skip();
    }
  }
  return point;
}

std::uint32_t exemplar_field(MetricType type) {
  switch (type) {
    case MetricType::kHistogram:
      return 8;
    case MetricType::kExponentialHistogram:
      return 11;
    default:
      return 5;
  }
}

Exemplar read_exemplar(std::string_view bytes) {
  Exemplar exemplar;
  exemplar.attributes = {bytes, 7};
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case fixed64_field(2):
        exemplar.time_ns = reader.fixed64();
        break;
      case fixed64_field(3):
        exemplar.value = reader.real();
        break;
      case bytes_field(4):
        exemplar.span_id = reader.bytes();
        break;
      case bytes_field(5):
        exemplar.trace_id = reader.bytes();
        break;
      case fixed64_field(6):
        exemplar.value = static_cast<double>(reader.sfixed64());
        break;
      default:
        reader.skip();
    }
  }
  return exemplar;
}

}  // namespace vigia::wire::otlp
