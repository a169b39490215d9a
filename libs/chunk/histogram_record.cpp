#include "libs/chunk/histogram_record.hpp"

#include "libs/base/bytes.hpp"

namespace vigia::chunk {
namespace {

constexpr std::uint8_t kVersion = 1;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0);
}

}  // namespace

std::string write_histograms(const std::vector<HistogramSample>& histograms) {
  std::string out(1, static_cast<char>(kVersion));
  append_varint(out, histograms.size());
  TimestampMs previous = 0;
  for (const HistogramSample& histogram : histograms) {
    const auto step = static_cast<std::int64_t>(static_cast<std::uint64_t>(histogram.timestamp_ms) -
                                                static_cast<std::uint64_t>(previous));
    append_varint(out, zigzag(step));
    append_sized(out, histogram.encoded);
    previous = histogram.timestamp_ms;
  }
  return out;
}

Result<std::vector<HistogramSample>> read_histograms(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.read_u8();
  if (!reader.ok() || version != kVersion) {
    return fail(ErrorCode::kCorrupt, "a histogram record of an unknown version");
  }
  const std::uint64_t count = reader.read_varint();
  std::vector<HistogramSample> histograms;
  std::uint64_t time = 0;
  // No room is reserved by the count: it is read, and ends with the bytes.
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t step = reader.read_varint();
    time += (step >> 1U) ^ (0 - (step & 1U));
    const std::string_view encoded = reader.read_sized();
    if (reader.ok()) {
      histograms.push_back({static_cast<TimestampMs>(time), std::string(encoded)});
    }
  }
  if (!reader.ok() || !reader.rest().empty()) {
    return fail(ErrorCode::kCorrupt, "a histogram record does not end where its head says");
  }
  return histograms;
}

}  // namespace vigia::chunk
