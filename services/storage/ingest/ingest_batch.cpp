#include "services/storage/ingest/ingest_batch.hpp"

#include <array>
#include <bit>
#include <utility>

#include "libs/base/bytes.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::uint8_t kVersion = 1;  // a byte, and so a varint

std::uint64_t zigzag(std::uint64_t step) { return (step << 1U) ^ (0 - (step >> 63U)); }
std::uint64_t unzigzag(std::uint64_t coded) { return (coded >> 1U) ^ (0 - (coded & 1U)); }

/// The functions of libs/base/bytes.hpp, many at a time: a sample is a dozen bytes of five numbers,
/// and a string that grows by each of its bytes costs more than they do.
class RecordBytes {
 public:
  explicit RecordBytes(std::size_t expected) { out_.reserve(expected); }
  void append_varint(std::uint64_t value) {
    if (size_ + kLongest > some_.size()) flush();
    while (value >= 0x80) {
      some_[size_++] = static_cast<char>(value | 0x80U);
      value >>= 7U;
    }
    some_[size_++] = static_cast<char>(value);
  }
  void append_u64(std::uint64_t value) {
    if (size_ + kLongest > some_.size()) flush();
    for (unsigned i = 0; i < sizeof(value); ++i) {
      some_[size_++] = static_cast<char>(value >> (8 * i));
    }
  }
  void append_sized(std::string_view bytes) {
    append_varint(bytes.size());
    flush();
    out_ += bytes;
  }
  std::string take() {
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    out_.append(some_.data(), size_);
    size_ = 0;
  }

  static constexpr std::size_t kLongest = 10;
  std::array<char, 256> some_;  // only what was written is read
  std::size_t size_ = 0;
  std::string out_;
};

// Numbers of neighbours are near each other, and so are their times: each is written as the step
// from the one before.
class StepWriter {
 public:
  explicit StepWriter(RecordBytes& out) : out_(out) {}
  void write(std::uint64_t value) {
    out_.append_varint(zigzag(value - previous_));
    previous_ = value;
  }

 private:
  RecordBytes& out_;
  std::uint64_t previous_ = 0;
};

class StepReader {
 public:
  explicit StepReader(ByteReader& reader) : reader_(reader) {}
  std::uint64_t read() { return previous_ += unzigzag(reader_.read_varint()); }

 private:
  ByteReader& reader_;
  std::uint64_t previous_ = 0;
};

void read_values(ByteReader& reader, StepReader& times, SeriesBatch& series) {
  const std::uint64_t samples = reader.read_varint();
  for (std::uint64_t i = 0; i < samples && reader.ok(); ++i) {
    const auto time_ms = static_cast<TimestampMs>(times.read());
    series.samples.push_back({time_ms, std::bit_cast<double>(reader.read_u64())});
  }
  const std::uint64_t histograms = reader.read_varint();
  for (std::uint64_t i = 0; i < histograms && reader.ok(); ++i) {
    const auto time_ms = static_cast<TimestampMs>(times.read());
    series.histograms.push_back({time_ms, std::string(reader.read_sized())});
  }
}

}  // namespace

std::size_t IngestBatch::items() const {
  std::size_t items = 0;
  for (const SeriesBatch& one : series) items += one.samples.size() + one.histograms.size();
  return items;
}

std::size_t IngestBatch::memory_bytes() const {
  std::size_t bytes = series.size() * sizeof(SeriesBatch);
  for (const SeriesBatch& one : series) {
    bytes += one.samples.size() * sizeof(Sample);
    for (const auto& histogram : one.histograms) {
      bytes += sizeof(histogram) + histogram.encoded.size();
    }
  }
  return bytes;
}

std::string IngestBatch::encode() const {
  constexpr std::size_t kSampleBytes = 16;  // about, where each series has one
  RecordBytes out(series.size() * kSampleBytes);
  out.append_varint(kVersion);
  out.append_varint(series.size());
  StepWriter ids(out);
  StepWriter times(out);
  for (const SeriesBatch& one : series) {
    out.append_varint(one.customer.value);
    ids.write(one.id.value);
    out.append_varint(one.samples.size());
    for (const Sample& sample : one.samples) {
      times.write(static_cast<std::uint64_t>(sample.timestamp_ms));
      out.append_u64(std::bit_cast<std::uint64_t>(sample.value));
    }
    out.append_varint(one.histograms.size());
    for (const chunk::HistogramSample& histogram : one.histograms) {
      times.write(static_cast<std::uint64_t>(histogram.timestamp_ms));
      out.append_sized(histogram.encoded);
    }
  }
  return out.take();
}

Result<IngestBatch> IngestBatch::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.read_u8() != kVersion) {
    return fail(ErrorCode::kCorrupt, "write-ahead log: a record of an unknown version");
  }
  IngestBatch batch;
  const std::uint64_t count = reader.read_varint();
  StepReader ids(reader);
  StepReader times(reader);
  // No room is reserved by what a damaged count says: each series has to be there.
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    SeriesBatch& series = batch.series.emplace_back();
    series.customer.value = static_cast<std::uint32_t>(reader.read_varint());
    series.id.value = ids.read();
    read_values(reader, times, series);
  }
  if (!reader.ok() || !reader.rest().empty()) {
    return fail(ErrorCode::kCorrupt, "write-ahead log: a record does not end where it should");
  }
  return batch;
}

}  // namespace vigia::storage::ingest
