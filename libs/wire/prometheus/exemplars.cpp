#include "libs/wire/prometheus/exemplars.hpp"

#include <algorithm>
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

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

std::vector<LabelPair> exemplar_labels(const otlp::Exemplar& exemplar) {
  std::vector<LabelPair> labels;
  if (!exemplar.trace_id.empty()) labels.emplace_back("trace_id", to_hex(exemplar.trace_id));
  if (!exemplar.span_id.empty()) labels.emplace_back("span_id", to_hex(exemplar.span_id));
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
    if (!otlp::are_valid(exemplar.attributes)) exemplar.attributes.bytes = {};
    return exemplar;
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
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
  writer.add_int64(kTimestamp, static_cast<std::int64_t>(exemplar.time_ns / 1'000'000));
  EncodedExemplar encoded;
  encoded.value = exemplar.value;
  protozero::pbf_writer outer(encoded.field);
  outer.add_message(kExemplarsField, message);
  return encoded;
}

}  // namespace

std::vector<EncodedExemplar> read_exemplars(otlp::MetricKind type, std::string_view point) {
  std::vector<otlp::Exemplar> found;
  otlp::for_each_exemplar(type, point, [&found](std::string_view bytes) {
    if (const auto exemplar = read_whole(bytes)) found.push_back(*exemplar);
  });
  // Prometheus takes exemplars of a series in order of time and refuses the rest.
  std::stable_sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return left.time_ns < right.time_ns;
  });
  if (found.size() > kExemplarsMax) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(kExemplarsMax));
  }
  std::vector<EncodedExemplar> encoded;
  encoded.reserve(found.size());
  for (const otlp::Exemplar& exemplar : found) encoded.push_back(encode(exemplar));
  return encoded;
}

}  // namespace vigia::wire::prometheus
