#include "libs/wire/prometheus/exemplars.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include <protozero/pbf_writer.hpp>

#include "libs/base/hex.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/prometheus/label_set.hpp"

namespace vigia::wire::prometheus {
namespace {

// Fields of prometheus.TimeSeries and prometheus.Exemplar.
constexpr protozero::pbf_tag_type kExemplarsField = 3;
constexpr protozero::pbf_tag_type kLabels = 1;
constexpr protozero::pbf_tag_type kValue = 2;
constexpr protozero::pbf_tag_type kTimestamp = 3;

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr std::uint64_t kNsPerMs = 1'000'000;
// An attribute becomes some thirty times its bytes while it is turned into a label, and of all of
// them 128 characters are kept.
constexpr std::size_t kAttributeBytesMax = 4U << 10U;
// What it was observed in ends with its point: who says otherwise has another clock, or none.
constexpr TimestampMs kBeforePointMax = 24 * 3'600'000;

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

// An id of another length leads nowhere; one of megabytes would make the sample beside it too large
// for any store.
std::vector<LabelPair> exemplar_labels(const otlp::Exemplar& exemplar) {
  std::vector<LabelPair> labels;
  if (exemplar.trace_id.size() == kTraceIdBytes)
    labels.emplace_back("trace_id", to_hex(exemplar.trace_id));
  if (exemplar.span_id.size() == kSpanIdBytes)
    labels.emplace_back("span_id", to_hex(exemplar.span_id));
  std::size_t used = 0;
  for (const LabelPair& label : labels) used += characters(label.first) + label.second.size();
  std::vector<LabelPair> others;
  append_attribute_labels(others, exemplar.attributes);
  for (LabelPair& label : others) {
    if (label.first == "trace_id" || label.first == "span_id") continue;
    const std::size_t size = characters(label.first) + characters(label.second);
    // OpenMetrics allows 128 characters; the ids of trace and span go first, since they are what an
    // exemplar is for.
    if (used + size > kExemplarCharactersMax) continue;
    used += size;
    labels.push_back(std::move(label));
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

/// Nothing where the bytes are damaged: intake does not read exemplars, and its verdict on their
/// point stands.
std::optional<otlp::Exemplar> read_whole(std::string_view bytes) {
  try {
    otlp::Exemplar exemplar = otlp::read_exemplar(bytes);
    const bool is_taken =
        bytes.size() <= kAttributeBytesMax && otlp::are_valid(exemplar.attributes);
    if (!is_taken) exemplar.attributes.bytes = {};
    return exemplar;
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

// Of time, the earliest first, those of one time as they came; Prometheus takes exemplars of a
// series in order of time and refuses the rest. No more are held than are given, however many a
// point has.
class NewestExemplars {
 public:
  void add(const otlp::Exemplar& exemplar) {
    const auto at = std::upper_bound(
        exemplars_.begin(), exemplars_.end(), exemplar,
        [](const auto& left, const auto& right) { return left.time_ns < right.time_ns; });
    if (exemplars_.size() < kExemplarsMax) {
      exemplars_.insert(at, exemplar);
    } else if (at != exemplars_.begin()) {
      std::move(exemplars_.begin() + 1, at, exemplars_.begin());
      *(at - 1) = exemplar;
    }
  }
  const std::vector<otlp::Exemplar>& all() const { return exemplars_; }

 private:
  std::vector<otlp::Exemplar> exemplars_;
};

std::uint64_t time_beside(std::uint64_t time_ns, TimestampMs point_ms) {
  const auto time_ms = static_cast<TimestampMs>(time_ns / kNsPerMs);
  const bool is_beside = time_ms <= point_ms && time_ms >= point_ms - kBeforePointMax;
  return is_beside ? time_ns : static_cast<std::uint64_t>(point_ms) * kNsPerMs;
}

LabelPair read_label(std::string_view bytes) {
  LabelPair label;
  otlp::FieldReader fields(bytes);
  while (fields.next()) {
    if (fields.tag_and_type() == otlp::bytes_field(1)) {
      label.first = fields.bytes();
    } else if (fields.tag_and_type() == otlp::bytes_field(2)) {
      label.second = fields.bytes();
    } else {
      fields.skip();
    }
  }
  return label;
}

EncodedExemplar encode(const otlp::Exemplar& exemplar) {
  std::string message;
  protozero::pbf_writer writer(message);
  for (const LabelPair& label : exemplar_labels(exemplar)) {
    protozero::pbf_writer inner(writer, kLabels);
    inner.add_string(1, label.first);
    inner.add_string(2, label.second);
  }
  writer.add_double(kValue, exemplar.value);
  writer.add_int64(kTimestamp, static_cast<std::int64_t>(exemplar.time_ns / kNsPerMs));
  EncodedExemplar encoded;
  encoded.value = exemplar.value;
  protozero::pbf_writer outer(encoded.field);
  outer.add_message(kExemplarsField, message);
  return encoded;
}

}  // namespace

std::vector<EncodedExemplar> read_exemplars(otlp::MetricKind type, std::string_view point,
                                            TimestampMs point_ms) {
  NewestExemplars newest;
  otlp::for_each_exemplar(type, point, [&](std::string_view bytes) {
    auto exemplar = read_whole(bytes);
    if (!exemplar) return;
    exemplar->time_ns = time_beside(exemplar->time_ns, point_ms);
    newest.add(*exemplar);
  });
  std::vector<EncodedExemplar> encoded;
  encoded.reserve(newest.all().size());
  for (const otlp::Exemplar& exemplar : newest.all()) encoded.push_back(encode(exemplar));
  return encoded;
}

std::string_view last_exemplar(std::string_view fields) {
  std::string_view last;
  otlp::FieldReader reader(fields);
  while (reader.next()) {
    const std::string_view message = reader.bytes();
    // With its tag and its length before it.
    const char* begin = last.empty() ? fields.data() : last.data() + last.size();
    last = {begin, static_cast<std::size_t>(message.data() + message.size() - begin)};
  }
  return last;
}

Result<DecodedExemplar> decode_exemplar(std::string_view field) {
  try {
    DecodedExemplar exemplar;
    otlp::FieldReader outer(field);
    if (!outer.next() || outer.tag_and_type() != otlp::bytes_field(kExemplarsField))
      return fail(ErrorCode::kCorrupt, "no exemplar");
    otlp::FieldReader fields(outer.bytes());
    while (fields.next()) {
      switch (fields.tag_and_type()) {
        case otlp::bytes_field(kLabels):
          exemplar.labels.push_back(read_label(fields.bytes()));
          break;
        case protozero::tag_and_type(kValue, protozero::pbf_wire_type::fixed64):
          exemplar.value = fields.real();
          break;
        case protozero::tag_and_type(kTimestamp, protozero::pbf_wire_type::varint):
          exemplar.timestamp_ms = std::bit_cast<std::int64_t>(fields.varint());
          break;
        default:
          fields.skip();
      }
    }
    return exemplar;
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kCorrupt, damage.what());
  }
}

}  // namespace vigia::wire::prometheus
