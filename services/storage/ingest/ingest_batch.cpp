#include "services/storage/ingest/ingest_batch.hpp"

#include <bit>

#include "libs/base/bytes.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::uint8_t kVersion = 1;

std::uint64_t zigzag(std::uint64_t step) { return (step << 1U) ^ (0 - (step >> 63U)); }
std::uint64_t unzigzag(std::uint64_t coded) { return (coded >> 1U) ^ (0 - (coded & 1U)); }

// Numbers of neighbours are near each other, and so are their times: each is written as the step
// from the one before.
class StepWriter {
 public:
  explicit StepWriter(std::string& out) : out_(out) {}
  void write(std::uint64_t value) {
    append_varint(out_, zigzag(value - previous_));
    previous_ = value;
  }

 private:
  std::string& out_;
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
  std::string out(1, static_cast<char>(kVersion));
  append_varint(out, series.size());
  StepWriter ids(out);
  StepWriter times(out);
  for (const SeriesBatch& one : series) {
    append_varint(out, one.customer.value);
    ids.write(one.id.value);
    append_varint(out, one.samples.size());
    for (const Sample& sample : one.samples) {
      times.write(static_cast<std::uint64_t>(sample.timestamp_ms));
      append_u64(out, std::bit_cast<std::uint64_t>(sample.value));
    }
    append_varint(out, one.histograms.size());
    for (const chunk::HistogramSample& histogram : one.histograms) {
      times.write(static_cast<std::uint64_t>(histogram.timestamp_ms));
      append_sized(out, histogram.encoded);
    }
  }
  return out;
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
