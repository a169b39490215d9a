#include <bit>
#include <cstring>
#include <memory>

#include <snappy.h>

#include "libs/base/bytes.hpp"
#include "libs/wire/remote_write/write_fields.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {
namespace {

// Tags: field number and wire type, prompb/remote.proto and types.proto.
constexpr char kTimeSeries = 0x0A;         // WriteRequest.timeseries
constexpr char kLabels = 0x0A;             // TimeSeries.labels, Exemplar.labels
constexpr char kSamples = 0x12;            // TimeSeries.samples
constexpr char kExemplars = 0x1A;          // TimeSeries.exemplars
constexpr char kHistograms = 0x22;         // TimeSeries.histograms
constexpr char kSampleValue = 0x09;        // Sample.value, fixed64
constexpr char kSampleTimestamp = 0x10;    // Sample.timestamp
constexpr char kExemplarValue = 0x11;      // Exemplar.value
constexpr char kExemplarTimestamp = 0x18;  // Exemplar.timestamp
constexpr char kLabelName = 0x0A;
constexpr char kLabelValue = 0x12;

constexpr std::size_t varint_bytes(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

std::uint64_t to_unsigned(TimestampMs timestamp_ms) {
  return static_cast<std::uint64_t>(timestamp_ms);
}

std::uint64_t value_bits(double value) { return std::bit_cast<std::uint64_t>(normalized(value)); }

char* put(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

char* put_varint(char* at, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) *at++ = static_cast<char>((value & 0x7fU) | 0x80U);
  *at++ = static_cast<char>(value);
  return at;
}

char* put_u64(char* at, std::uint64_t value) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

/// Grows the message once, by a field `timeseries` of the extras and so many bytes, and writes its
/// head.
char* open_series(std::string& message, std::size_t bytes, std::string_view extras = {}) {
  const std::size_t begin = message.size();
  bytes += extras.size();
  message.resize(begin + 1 + varint_bytes(bytes) + bytes);
  char* at = message.data() + begin;
  *at++ = kTimeSeries;
  return put(put_varint(at, bytes), extras);
}

}  // namespace

std::string encode_labels(const Labels& labels) {
  std::string bytes;
  for (const Label& label : labels) {
    append_label(bytes, label.name, label.value);
  }
  return bytes;
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out.push_back(kLabels);
  append_varint(
      out, 2 + varint_bytes(name.size()) + name.size() + varint_bytes(value.size()) + value.size());
  out.push_back(kLabelName);
  append_sized(out, name);
  out.push_back(kLabelValue);
  append_sized(out, value);
}

void append_exemplar(std::string& out, const Labels& labels, const Sample& sample) {
  std::string inner = encode_labels(labels);
  inner.push_back(kExemplarValue);
  append_u64(inner, value_bits(sample.value));
  inner.push_back(kExemplarTimestamp);
  append_varint(inner, to_unsigned(sample.timestamp_ms));
  out.push_back(kExemplars);
  append_sized(out, inner);
}

char* append_sample_around(std::string& message, std::size_t label_bytes, const Sample& sample,
                           std::string_view exemplars, std::string_view extras) {
  const std::uint64_t timestamp = to_unsigned(sample.timestamp_ms);
  // All lengths are known before the first byte, so a series is written once, front to back, into
  // room that grows once; the labels are left out for the caller to copy in.
  const std::size_t sample_bytes = 1 + 8 + 1 + varint_bytes(timestamp);
  char* const labels =
      open_series(message, label_bytes + 2 + sample_bytes + exemplars.size(), extras);
  char* at = labels + label_bytes;
  *at++ = kSamples;
  // At most 20 bytes: one byte of length always does.
  *at++ = static_cast<char>(sample_bytes);
  *at++ = kSampleValue;
  at = put_u64(at, value_bits(sample.value));
  *at++ = kSampleTimestamp;
  put(put_varint(at, timestamp), exemplars);
  return labels;
}

char* append_histogram_around(std::string& message, std::size_t label_bytes,
                              std::string_view histogram, std::string_view exemplars,
                              std::string_view extras) {
  char* const labels = open_series(
      message,
      label_bytes + exemplars.size() + 1 + varint_bytes(histogram.size()) + histogram.size(),
      extras);
  char* at = put(labels + label_bytes, exemplars);
  *at++ = kHistograms;
  put(put_varint(at, histogram.size()), histogram);
  return labels;
}

char* append_exemplars_around(std::string& message, std::size_t label_bytes,
                              std::string_view exemplars) {
  char* const labels = open_series(message, label_bytes + exemplars.size());
  put(labels + label_bytes, exemplars);
  return labels;
}

void append_sample(std::string& message, std::string_view label_bytes, const Sample& sample,
                   std::string_view exemplars) {
  put(append_sample_around(message, label_bytes.size(), sample, exemplars), label_bytes);
}

void append_histogram(std::string& message, std::string_view label_bytes,
                      std::string_view histogram, std::string_view exemplars) {
  put(append_histogram_around(message, label_bytes.size(), histogram, exemplars), label_bytes);
}

std::string compress_request(std::string_view message) {
  // Into room that nobody fills with zeros first.
  std::size_t bytes = 0;
  const auto room =
      std::make_unique_for_overwrite<char[]>(snappy::MaxCompressedLength(message.size()));
  snappy::RawCompress(message.data(), message.size(), room.get(), &bytes);
  return {room.get(), bytes};
}

}  // namespace vigia::wire::remote_write
