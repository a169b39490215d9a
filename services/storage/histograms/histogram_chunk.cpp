#include "services/storage/histograms/histogram_chunk.hpp"

#include <bit>
#include <cmath>
#include <optional>

#include "libs/chunk/bit_writer.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {
namespace {

using chunk::BitWriter;

constexpr std::size_t kXorSamplesMax = 120;
constexpr std::int32_t kCustomSchema = -53;
// The two highest bits of the third byte.
constexpr std::uint8_t kCounterReset = 0b1000'0000;
constexpr std::uint8_t kNoCounterReset = 0b0100'0000;
constexpr std::uint8_t kGauge = 0b1100'0000;

// Prometheus' variable widths: as many ones as there are narrower ones, a zero, the bits.
constexpr unsigned kWidths[] = {0, 3, 6, 9, 12, 18, 25, 56, 64};

void write_wide(BitWriter& writer, std::size_t index, std::uint64_t value) {
  const bool is_widest = index + 1 == std::size(kWidths);
  const std::uint64_t ones = (std::uint64_t{1} << index) - 1;
  writer.write_bits(is_widest ? ones : ones << 1U, static_cast<unsigned>(index) + !is_widest);
  writer.write_bits(value, kWidths[index]);
}

void write_unsigned(BitWriter& writer, std::uint64_t value) {
  std::size_t index = 0;
  while (kWidths[index] < 64 && value >> kWidths[index] != 0) ++index;
  write_wide(writer, index, value);
}

// A width of n bits holds from -(2^(n-1) - 1) to 2^(n-1).
void write_signed(BitWriter& writer, std::int64_t value) {
  std::size_t index = value == 0 ? 0 : 1;
  while (index != 0 && kWidths[index] < 64) {
    const auto half = std::int64_t{1} << (kWidths[index] - 1);
    if (value > -half && value <= half) break;
    ++index;
  }
  write_wide(writer, index, static_cast<std::uint64_t>(value));
}

void write_double(BitWriter& writer, double value) {
  writer.write_bits(std::bit_cast<std::uint64_t>(value), 64);
}

// One byte for 0 and for powers of two around 1; else 255 and the number.
void write_zero_threshold(BitWriter& writer, double threshold) {
  int exponent = 0;
  const double fraction = std::frexp(threshold, &exponent);
  if (threshold == 0) {
    writer.write_bits(0, 8);
  } else if (fraction == 0.5 && exponent >= -242 && exponent <= 11) {
    writer.write_bits(static_cast<std::uint64_t>(exponent + 243), 8);
  } else {
    writer.write_bits(255, 8);
    write_double(writer, threshold);
  }
}

void write_spans(BitWriter& writer, const std::vector<BucketSpan>& spans) {
  write_unsigned(writer, spans.size());
  for (const BucketSpan& span : spans) {
    write_unsigned(writer, span.length);
    write_signed(writer, span.offset);
  }
}

void write_layout(BitWriter& writer, const NativeHistogram& histogram) {
  write_zero_threshold(writer, histogram.zero_threshold);
  write_signed(writer, histogram.schema);
  write_spans(writer, histogram.positive.spans);
  write_spans(writer, histogram.negative.spans);
  if (histogram.schema != kCustomSchema) return;
  write_unsigned(writer, histogram.custom_bounds.size());
  for (const double bound : histogram.custom_bounds) {
    writer.write_bit(false);  // not in thousandths
    write_double(writer, bound);
  }
}

void write_buckets(BitWriter& writer, const Buckets& buckets) {
  for (const std::int64_t delta : buckets.deltas) write_signed(writer, delta);
  for (const double count : buckets.counts) write_double(writer, count);
}

std::uint8_t header_of(ResetHint hint) {
  switch (hint) {
    case ResetHint::kYes:
      return kCounterReset;
    case ResetHint::kNo:
      return kNoCounterReset;
    case ResetHint::kGauge:
      return kGauge;
    case ResetHint::kUnknown:
      return 0;
  }
  return 0;
}

// One histogram a chunk: within a chunk Prometheus' format demands the same layout and no reset,
// and tells only the first sample's reset hint. More bytes on the way, none of the rules.
WireChunk one_histogram(TimestampMs time_ms, NativeHistogram histogram) {
  if (histogram.is_stale()) {  // a stale mark is its sum alone
    NativeHistogram stale;
    stale.is_float = histogram.is_float;
    stale.sum = histogram.sum;
    stale.reset_hint = histogram.reset_hint;
    histogram = std::move(stale);
  }
  BitWriter writer;
  writer.write_bits(1, 16);  // samples
  writer.write_bits(header_of(histogram.reset_hint), 8);
  write_layout(writer, histogram);
  write_signed(writer, time_ms);
  if (histogram.is_float) {
    write_double(writer, histogram.float_count);
    write_double(writer, histogram.float_zero_count);
  } else {
    write_unsigned(writer, histogram.count);
    write_unsigned(writer, histogram.zero_count);
  }
  write_double(writer, histogram.sum);
  write_buckets(writer, histogram.positive);
  write_buckets(writer, histogram.negative);
  const auto encoding =
      histogram.is_float ? WireEncoding::kFloatHistogram : WireEncoding::kHistogram;
  return {time_ms, time_ms, encoding, {writer.bytes().begin(), writer.bytes().end()}};
}

std::optional<WireChunk> one_histogram(const chunk::HistogramSample& sample) {
  auto histogram = sound_histogram(sample.encoded);
  if (!histogram) return std::nullopt;
  return one_histogram(sample.timestamp_ms, std::move(*histogram));
}

class Floats {
 public:
  explicit Floats(std::vector<WireChunk>& chunks) : chunks_(chunks) {}
  void add(const Sample& sample) {
    if (writer_.samples() >= kXorSamplesMax) close();
    writer_.append(sample);
  }
  void close() {
    if (writer_.samples() == 0) return;
    chunks_.push_back(
        {writer_.first_ms(), writer_.last_ms(), WireEncoding::kXor, std::string(writer_.bytes())});
    writer_.reset();
  }

 private:
  std::vector<WireChunk>& chunks_;
  chunk::ChunkWriter writer_;
};

}  // namespace

std::vector<WireChunk> wire_chunks(const std::vector<Sample>& floats,
                                   const std::vector<chunk::HistogramSample>& histograms,
                                   std::uint64_t& damaged) {
  std::vector<WireChunk> chunks;
  Floats run(chunks);
  auto next = floats.begin();
  for (const auto& histogram : histograms) {
    bool is_float = false;
    // Chunks must follow each other in time and must not overlap, so floats before the histogram
    // are closed first; of both at one time the float stays.
    for (; next != floats.end() && next->timestamp_ms <= histogram.timestamp_ms; ++next) {
      is_float = next->timestamp_ms == histogram.timestamp_ms;
      run.add(*next);
    }
    if (is_float) continue;
    auto chunk = one_histogram(histogram);
    if (!chunk.has_value()) {
      ++damaged;
      continue;
    }
    run.close();
    chunks.push_back(std::move(*chunk));
  }
  for (; next != floats.end(); ++next) run.add(*next);
  run.close();
  return chunks;
}

}  // namespace vigia::storage::histograms
