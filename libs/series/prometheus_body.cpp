#include "libs/series/prometheus_body.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/base/utf8.hpp"
#include "libs/model/labels.hpp"
#include "libs/series/open_metric.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/prometheus/verbatim.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"
#include "libs/wire/remote_write/series_extras.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::series {
namespace {

namespace otlp = wire::otlp;
namespace prometheus = wire::prometheus;
namespace protocol = wire::remote_write;

using prometheus::VerbatimField;

constexpr std::int64_t kNsPerMs = 1'000'000;
// OpenMetrics' limit of characters is 128; in bytes of UTF-8.
constexpr std::size_t kExemplarLabelBytesMax = 512;
constexpr std::size_t kLabelsMax = 16'384;
constexpr std::size_t kFamilyBytesMax = 512;
constexpr std::size_t kLabelBytesMax = 4U << 20U;
// More than the most buckets that are taken (kVerbatimBucketsMax) can be encoded in; unpacked they
// are up to eight times as many bytes.
constexpr std::size_t kHistogramBytesMax = 64U << 10U;
// An empty one is two bytes and becomes six; of what is taken each has a bucket.
constexpr std::size_t kHistogramSpansMax = 2 * prometheus::kVerbatimBucketsMax;
// A resource's head in the body, and its place in memory until then.
constexpr std::size_t kResourceBytes = 256;
constexpr std::string_view kNodeLabel = "node_id";

constexpr std::array<std::string_view, 8> kTypes{
    "", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};

/// Thrown inside of a reading, which makes kTooLarge of it.
struct BodyTooLarge {};
/// Likewise, kOverLimit.
struct BodyOverShare {};

// What is made of a request lies in pieces until all of it is known: one text that grows is copied
// again and again, each time beside what it was.
constexpr std::size_t kPieceBytes = 256U << 10U;

/// Metrics of one resource.
class MetricPieces {
 public:
  void add(std::string_view metric_tag_and_size, std::string_view metric) {
    if (pieces_.empty() || pieces_.back().size() >= kPieceBytes) pieces_.emplace_back();
    pieces_.back() += metric_tag_and_size;
    pieces_.back() += metric;
    bytes_ += metric_tag_and_size.size() + metric.size();
  }
  std::size_t bytes() const { return bytes_; }
  /// Behind `out`, each given back as it is copied.
  void move_to(std::string& out) {
    for (std::string& piece : pieces_) {
      out += piece;
      piece = {};
    }
    pieces_.clear();
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t bytes_ = 0;
};

void append_bytes(std::string& out, otlp::ProtoField field, std::string_view bytes) {
  append_varint(out, (std::uint64_t{field.number} << 3U) | 2U);
  append_sized(out, bytes);
}

void append_fixed(std::string& out, std::uint32_t number, std::uint64_t value) {
  append_varint(out, (std::uint64_t{number} << 3U) | 1U);
  append_u64(out, value);
}

void append_number(std::string& out, std::uint32_t number, std::uint64_t value) {
  append_varint(out, std::uint64_t{number} << 3U);
  append_varint(out, value);
}

constexpr std::size_t varint_bytes(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

/// A KeyValue with a text, as a field of that number; numbers are below 16.
void append_attribute(std::string& out, std::uint32_t number, std::string_view key,
                      std::string_view value) {
  const std::size_t text = 1 + varint_bytes(value.size()) + value.size();
  const std::size_t inner =
      1 + varint_bytes(key.size()) + key.size() + 1 + varint_bytes(text) + text;
  // Nearly all are so short that each length is a byte: written once, into room that grows once.
  if (inner < 0x80) {
    const std::size_t begin = out.size();
    out.resize(begin + 2 + inner);
    char* at = out.data() + begin;
    const auto put = [&at](std::uint32_t field, std::size_t size) {
      *at++ = static_cast<char>(field << 3U | 2U);
      *at++ = static_cast<char>(size);
    };
    put(number, inner);
    put(otlp::KeyValueField::kKey.number, key.size());
    at = std::copy(key.begin(), key.end(), at);
    put(otlp::KeyValueField::kValue.number, text);
    put(otlp::AnyValueField::kString.number, value.size());
    std::copy(value.begin(), value.end(), at);
    return;
  }
  append_varint(out, (std::uint64_t{number} << 3U) | 2U);
  append_varint(out, inner);
  append_bytes(out, otlp::KeyValueField::kKey, key);
  append_varint(out, (std::uint64_t{otlp::KeyValueField::kValue.number} << 3U) | 2U);
  append_varint(out, text);
  append_bytes(out, otlp::AnyValueField::kString, value);
}

/// 0 for what is before 1970, and the last of all times for what no clock will show: both are
/// refused.
std::uint64_t to_ns(TimestampMs time_ms) {
  if (time_ms <= 0) return 0;
  if (time_ms > std::numeric_limits<std::int64_t>::max() / kNsPerMs)
    return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(time_ms * kNsPerMs);
}

struct PointTimes {
  TimestampMs time_ms = 0, start_ms = 0;
};

/// What reading the request holds, and what is made of it.
struct Held {
  std::size_t read = 0, made = 0;
  bool may_be(const PrometheusBodyLimits& limits) const {
    return !limits.may_hold || limits.may_hold(read + made);
  }
};

class BodyWriter final : public protocol::WriteVisitor {
 public:
  BodyWriter(const CustomerId& customer, const PrometheusBodyLimits& limits, Held& held,
             const MetadataTable* known)
      : customer_(customer), limits_(limits), held_(held), known_(known) {}

  void on_series(const protocol::SeriesView& series) override { write(series, {}); }
  void on_bad_series(const protocol::SeriesView& series, std::string_view why) override {
    write(series, why);
  }
  void on_metadata(const protocol::MetadataView& metadata) override {
    if (said_.size() >= limits_.metadata_max || metadata.family.empty() ||
        metadata.family.size() > kFamilyBytesMax) {
      ++metadata_left_out_;
      return;
    }
    const auto text = [](std::string_view bytes, std::size_t bytes_max) {
      const std::string_view beginning = utf8_beginning(bytes, bytes_max);
      return is_utf8(beginning) ? std::string(beginning) : std::string();
    };
    said_.emplace_back(metadata.family,
                       SaidMetadata{metadata.type < kTypes.size() ? metadata.type : 0,
                                    text(metadata.help, protocol::kHelpBytesMax),
                                    text(metadata.unit, protocol::kUnitBytesMax)});
  }

  PrometheusBody finish() {
    end_metric();
    PrometheusBody made;
    made.body.reserve(bytes_);
    for (auto& [node, metrics] : resources_) add_resource(made.body, node, metrics);
    made.exemplars = exemplars_;
    made.said = std::move(said_);
    made.metadata_left_out = metadata_left_out_;
    made.compared_bytes = open_.compared_bytes();
    return made;
  }

 private:
  void write(const protocol::SeriesView& series, std::string_view fault) {
    labels_ = series.labels;
    const auto by_name = [](const auto& left, const auto& right) { return left.name < right.name; };
    if (!std::is_sorted(labels_.begin(), labels_.end(), by_name))
      std::stable_sort(labels_.begin(), labels_.end(), by_name);
    MetricHead head = read_labels(series.metadata);
    open_.begin_series(head, node_);
    for (std::size_t i = 0; i < series.samples.size(); ++i)
      write_sample(head, series.samples[i], i < series.starts_ms.size() ? series.starts_ms[i] : 0,
                   fault);
    for (const protocol::HistogramView& histogram : series.histograms)
      write_histogram(head, histogram, fault);
    const bool is_told = write_exemplars(head, series, fault) || !series.samples.empty() ||
                         !series.histograms.empty();
    // Nobody would hear of a bad series that has no value.
    if (fault.empty() || is_told) return;
    begin_point(head, number_field(head), otlp::NumberPointField::kAttributes.number, {});
    end_point(fault);
  }

  /// The name into the head, the others encoded as the attributes of a number point.
  MetricHead read_labels(const protocol::MetadataView& metadata) {
    MetricHead head;
    node_ = {};
    attributes_.clear();
    bool has_name = false;
    for (const protocol::LabelView& label : labels_) {
      if (label.name == kNameLabel && !has_name) {
        head.name = label.value;
        has_name = true;
        continue;
      }
      if (label.name == kNodeLabel) node_ = label.value;
      attributes_.push_back(label);
    }
    // In 2.0 a text is as long as the request, and every series may name it.
    head.help = utf8_beginning(metadata.help, protocol::kHelpBytesMax);
    head.unit = utf8_beginning(metadata.unit, protocol::kUnitBytesMax);
    head.type = metadata.type < kTypes.size() ? metadata.type : 0;
    if (known_ != nullptr && !metadata.is_there()) take_said(head);
    return head;
  }

  /// A metric's series follow each other, mostly.
  void take_said(MetricHead& head) {
    if (head.name != looked_up_ || !has_looked_) {
      looked_up_ = head.name;
      has_looked_ = true;
      found_ = find_metadata(*known_, head.name);
    }
    // What is said beside makes no request too large that is not so without it.
    if (found_ == nullptr || bytes_ > limits_.body_bytes_max / 4) return;
    head.help = found_->help;
    head.unit = found_->unit;
    head.type = found_->type;
    head.is_said = true;
  }

  /// What stands beside a stale mark is judged by nobody, and means nothing.
  static protocol::NativeHistogram bare_mark(const protocol::NativeHistogram& stale) {
    protocol::NativeHistogram bare;
    bare.is_float = stale.is_float;
    bare.sum = stale.sum;
    return bare;
  }

  static std::uint32_t number_field(const MetricHead& head) {
    constexpr std::uint32_t kCounter = 1;
    // What is said of it elsewhere, at times, changes nothing of how a value is kept.
    return head.type == kCounter && !head.is_said ? otlp::MetricField::kSum.number
                                                  : otlp::MetricField::kGauge.number;
  }

  void write_sample(MetricHead& head, const Sample& sample, TimestampMs start_ms,
                    std::string_view fault) {
    using Field = otlp::NumberPointField;
    begin_point(head, number_field(head), Field::kAttributes.number,
                {sample.timestamp_ms, start_ms});
    // Of a bad series no value: a point with one is not looked at for more.
    if (fault.empty()) {
      if (is_stale_mark(sample.value))
        append_number(point_, Field::kFlags.number, 1);
      else
        append_fixed(point_, Field::kDouble.number, std::bit_cast<std::uint64_t>(sample.value));
    }
    end_point(fault);
  }

  void write_histogram(MetricHead& head, const protocol::HistogramView& histogram,
                       std::string_view fault) {
    using Field = otlp::ExponentialPointField;
    begin_point(head, otlp::MetricField::kExponentialHistogram.number, Field::kAttributes.number,
                {histogram.timestamp_ms, histogram.start_ms});
    if (histogram.left_out > 0) {
      end_point(fault.empty() ? fmt::format("a histogram of {} bytes, {} may be",
                                            histogram.left_out, kHistogramBytesMax)
                              : std::string(fault));
      return;
    }
    auto read = protocol::decode_histogram(histogram.bytes);
    const std::size_t spans =
        read ? read->positive.spans.size() + read->negative.spans.size() : std::size_t{0};
    if (spans > kHistogramSpansMax) {
      end_point(fault.empty()
                    ? fmt::format("a histogram of {} spans, {} may be", spans, kHistogramSpansMax)
                    : std::string(fault));
      return;
    }
    if (read && read->is_stale()) {
      append_number(point_, Field::kFlags.number, 1);
      *read = bare_mark(*read);
    }
    // Written anew: what is not known of it is not kept. What cannot be read is refused as it is.
    append_bytes(point_, VerbatimField::kHistogram,
                 read ? protocol::encode_histogram(*read, histogram.timestamp_ms)
                      : std::string(histogram.bytes));
    end_point(fault);
  }

  /// A point of their own: a Prometheus sends them apart from the samples, as often as not in
  /// another request. False where none is kept.
  bool write_exemplars(MetricHead& head, const protocol::SeriesView& series,
                       std::string_view fault) {
    exemplars_ += series.exemplars.size();
    encoded_.clear();
    TimestampMs newest_ms = 0;
    for (const protocol::ExemplarView& exemplar : series.exemplars) {
      Sample sample = exemplar.sample;
      if (sample.timestamp_ms == 0) sample.timestamp_ms = time_of(series);
      if (!append_exemplar(exemplar, sample)) continue;
      newest_ms = std::max(newest_ms, sample.timestamp_ms);
    }
    if (encoded_.empty()) return false;
    begin_point(head, number_field(head), otlp::NumberPointField::kAttributes.number,
                {newest_ms, 0});
    append_bytes(point_, VerbatimField::kExemplars, encoded_);
    end_point(fault);
    return true;
  }

  static TimestampMs time_of(const protocol::SeriesView& series) {
    if (!series.samples.empty()) return series.samples.back().timestamp_ms;
    return series.histograms.empty() ? 0 : series.histograms.back().timestamp_ms;
  }

  /// False where no store would take it.
  bool append_exemplar(const protocol::ExemplarView& exemplar, const Sample& sample) {
    std::vector<Label> labels;
    std::size_t bytes = 0;
    for (const protocol::LabelView& label : exemplar.labels) {
      bytes += label.name.size() + label.value.size();
      if (bytes > kExemplarLabelBytesMax) return false;
      labels.push_back({std::string(label.name), std::string(label.value)});
    }
    protocol::append_exemplar(encoded_, Labels::from(std::move(labels)), sample);
    return true;
  }

  void begin_point(MetricHead& head, std::uint32_t data, std::uint32_t attributes,
                   const PointTimes& times) {
    if (!open_.takes(data)) {
      end_metric();
      head.data = data;
      open_.open(head, node_);
    }
    point_.clear();
    for (const protocol::LabelView& label : attributes_)
      append_attribute(point_, attributes, label.name, label.value);
    // Start and time have the same numbers in every kind of point.
    if (times.start_ms > 0)
      append_fixed(point_, otlp::NumberPointField::kStartTime.number, to_ns(times.start_ms));
    append_fixed(point_, otlp::NumberPointField::kTime.number, to_ns(times.time_ms));
  }

  void end_point(std::string_view fault) {
    if (!fault.empty()) append_bytes(point_, VerbatimField::kFault, fault);
    hold(1 + varint_bytes(point_.size()) + point_.size());
    append_bytes(points_, otlp::MetricDataField::kPoints, point_);
    if (points_.size() >= kPieceBytes) end_metric();  // the next point begins it anew
  }

  /// Before so many more are kept.
  void hold(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits_.body_bytes_max) throw BodyTooLarge{};
    if (bytes_ <= held_.made) return;
    held_.made = bytes_ + kPieceBytes;
    if (!held_.may_be(limits_)) throw BodyOverShare{};
  }

  void end_metric() {
    if (points_.empty()) return;
    if (open_.data() != otlp::MetricField::kGauge.number)
      append_number(points_, otlp::MetricDataField::kTemporality.number, 2);  // cumulative
    if (open_.data() == otlp::MetricField::kSum.number)
      append_number(points_, otlp::MetricDataField::kIsMonotonic.number, 1);
    metric_.clear();
    append_bytes(metric_, otlp::MetricField::kName, open_.name);
    if (!open_.help.empty()) append_bytes(metric_, otlp::MetricField::kDescription, open_.help);
    if (!open_.unit.empty()) append_bytes(metric_, otlp::MetricField::kUnit, open_.unit);
    if (open_.is_said)
      append_attribute(metric_, otlp::MetricField::kMetadata.number, "prometheus.type",
                       fmt::format("{}{}", prometheus::kSaidType, kTypes[open_.type]));
    else if (open_.type != 0)
      append_attribute(metric_, otlp::MetricField::kMetadata.number, "prometheus.type",
                       kTypes[open_.type]);
    append_bytes(metric_, otlp::ProtoField::sized(open_.data()), points_);
    const auto [resource, is_new] = resources_.try_emplace(open_.node);
    std::string head;
    append_varint(head, (std::uint64_t{otlp::GroupField::kMembers.number} << 3U) | 2U);
    append_varint(head, metric_.size());
    hold(head.size() + metric_.size() - points_.size() + (is_new ? kResourceBytes : 0));
    points_.clear();
    resource->second.add(head, metric_);
  }

  void add_resource(std::string& body, const std::string& node, MetricPieces& scope) const {
    std::string head;
    append_attribute(head, otlp::ResourceField::kAttributes.number, "customer.id",
                     customer_.text());
    if (!node.empty())
      append_attribute(head, otlp::ResourceField::kAttributes.number, "node.id", node);
    std::string around;
    append_bytes(around, otlp::GroupField::kHead, head);
    append_bytes(around, otlp::GroupField::kSchemaUrl, prometheus::kVerbatimSchemaUrl);
    const std::size_t size = around.size() + 1 + varint_bytes(scope.bytes()) + scope.bytes();
    append_varint(body, (std::uint64_t{otlp::ExportRequestField::kGroups.number} << 3U) | 2U);
    append_varint(body, size);
    body += around;
    append_varint(body, (std::uint64_t{otlp::GroupField::kMembers.number} << 3U) | 2U);
    append_varint(body, scope.bytes());
    scope.move_to(body);
  }

  const CustomerId& customer_;
  const PrometheusBodyLimits& limits_;
  Held& held_;
  const MetadataTable* const known_;
  std::string looked_up_;
  bool has_looked_ = false;
  const SaidMetadata* found_ = nullptr;  // of looked_up_
  std::vector<std::pair<std::string, SaidMetadata>> said_;
  std::uint64_t metadata_left_out_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t exemplars_ = 0;
  std::vector<protocol::LabelView> labels_, attributes_;  // of the series under way
  std::string_view node_;
  std::string encoded_, point_, points_, metric_;
  OpenMetric open_;                                // of points_
  std::map<std::string, MetricPieces> resources_;  // by node: the metrics of its scope
};

tl::unexpected<Error> over_share(std::size_t message_bytes) {
  return fail(ErrorCode::kOverLimit,
              fmt::format("what this customer's requests of remote write become in memory is over "
                          "its share now, with this one of {} bytes unpacked; nothing is lost, "
                          "send it again later, and fewer or smaller ones at a time",
                          message_bytes));
}

}  // namespace

Result<PrometheusBody> read_remote_write(const CustomerId& customer, WriteVersion version,
                                         std::string_view block, const PrometheusBodyLimits& limits,
                                         const MetadataTable* known) {
  protocol::DecodeLimits decode;
  decode.message_bytes_max = limits.message_bytes_max;
  // One series of too many labels is refused alone, behind these.
  decode.labels_max = kLabelsMax;
  decode.label_bytes_max = kLabelBytesMax;
  decode.values_max = limits.series_values_max;
  decode.histogram_bytes_max = kHistogramBytesMax;
  Held held;
  decode.may_hold = [&](std::size_t bytes) {
    held.read = bytes;
    return held.may_be(limits);
  };
  const auto declared = protocol::declared_bytes(block, decode);
  if (!declared) return forward(declared);
  BodyWriter writer(customer, limits, held, version == WriteVersion::k1 ? known : nullptr);
  try {
    const auto decoded =
        version == WriteVersion::k1
            ? protocol::decode_request(block, decode, writer)
            : protocol::decode_request_2(block, decode,
                                         {.label_bytes_max = limits.message_bytes_max}, writer);
    if (!decoded && decoded.error().code == ErrorCode::kOverLimit) return over_share(*declared);
    if (!decoded) return forward(decoded);
    PrometheusBody made = writer.finish();
    made.message_bytes = *declared;
    return made;
  } catch (const BodyOverShare&) {
    return over_share(*declared);
  } catch (const BodyTooLarge&) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("remote write: the values with their labels are more than {} bytes; "
                            "send them in smaller requests",
                            limits.body_bytes_max));
  }
}

}  // namespace vigia::series
