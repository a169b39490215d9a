#include <array>
#include <bit>
#include <cstring>

#include <snappy.h>

#include "libs/base/bytes.hpp"
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

/// A few bytes of a message, gathered on the stack: one append instead of one for each part.
class Piece {
 public:
  void put(char byte) { bytes_[size_++] = byte; }
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) put(static_cast<char>((value & 0x7fU) | 0x80U));
    put(static_cast<char>(value));
  }
  void put_u64(std::uint64_t value) {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(&bytes_[size_], &value, sizeof value);
    size_ += sizeof value;
  }
  void append_to(std::string& message) const { message.append(bytes_.data(), size_); }

 private:
  // The longest is a sample: two tags, its size, a value behind its tag, a varint behind its tag.
  std::array<char, 32> bytes_;
  std::size_t size_ = 0;
};

/// The field `timeseries` up to where the sample begins.
void open_series(std::string& message, std::string_view label_bytes, std::size_t rest_bytes) {
  Piece head;
  head.put(kTimeSeries);
  head.put_varint(label_bytes.size() + rest_bytes);
  head.append_to(message);
  message.append(label_bytes);
}

}  // namespace

std::string encode_labels(const Labels& labels) {
  std::string bytes;
  for (const Label& label : labels) {
    bytes.push_back(kLabels);
    append_varint(bytes, 2 + varint_bytes(label.name.size()) + label.name.size() +
                             varint_bytes(label.value.size()) + label.value.size());
    bytes.push_back(kLabelName);
    append_sized(bytes, label.name);
    bytes.push_back(kLabelValue);
    append_sized(bytes, label.value);
  }
  return bytes;
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

void append_sample(std::string& message, std::string_view label_bytes, const Sample& sample,
                   std::string_view exemplars) {
  const std::uint64_t timestamp = to_unsigned(sample.timestamp_ms);
  const std::size_t sample_bytes = 1 + 8 + 1 + varint_bytes(timestamp);
  open_series(message, label_bytes, 2 + sample_bytes + exemplars.size());
  Piece piece;
  piece.put(kSamples);
  piece.put(static_cast<char>(sample_bytes));
  piece.put(kSampleValue);
  piece.put_u64(value_bits(sample.value));
  piece.put(kSampleTimestamp);
  piece.put_varint(timestamp);
  piece.append_to(message);
  message.append(exemplars);
}

void append_histogram(std::string& message, std::string_view label_bytes,
                      std::string_view histogram, std::string_view exemplars) {
  open_series(message, label_bytes,
              1 + varint_bytes(histogram.size()) + histogram.size() + exemplars.size());
  message.append(exemplars);
  message.push_back(kHistograms);
  append_sized(message, histogram);
}

std::string compress_request(std::string_view message) {
  std::string body;
  snappy::Compress(message.data(), message.size(), &body);
  return body;
}

}  // namespace vigia::wire::remote_write
