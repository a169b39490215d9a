// Any bytes as a chunk: no crash, no more samples than promised; and what was read, written again,
// reads the same.
#include <cstddef>
#include <cstdint>

#include "libs/base/check.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "libs/chunk/histogram_record.hpp"
#include "libs/chunk/packed_chunk.hpp"

namespace {

void check_chunk(std::string_view bytes) {
  vigia::chunk::ChunkReader reader(bytes);
  vigia::chunk::ChunkWriter writer;
  std::vector<vigia::Sample> samples;
  for (vigia::Sample sample; reader.next(sample);) {
    samples.push_back(sample);
    writer.append(sample);
  }
  CHECK(samples.size() <= reader.samples());
  CHECK(reader.is_damaged() || samples.size() == reader.samples());
  const auto again = vigia::chunk::read_samples(writer.bytes());
  CHECK(again.has_value() && again->size() == samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK((*again)[i].timestamp_ms == samples[i].timestamp_ms);
    CHECK(vigia::is_same_value((*again)[i].value, samples[i].value));
  }
}

// The same bytes as a packed chunk: what can be read, packed again, reads the same.
void check_packed(std::string_view bytes) {
  const auto samples = vigia::chunk::unpack_samples(bytes, 1'764'000'000'000);
  if (!samples.has_value()) return;
  const auto packed = vigia::chunk::pack_samples(*samples);
  if (!packed.has_value()) return;
  const auto again = vigia::chunk::unpack_samples(*packed, samples->front().timestamp_ms);
  CHECK(again.has_value() && again->size() == samples->size());
  for (std::size_t i = 0; i < samples->size(); ++i) {
    CHECK((*again)[i].timestamp_ms == (*samples)[i].timestamp_ms);
    CHECK(vigia::is_same_value((*again)[i].value, (*samples)[i].value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_chunk(bytes);
  check_packed(bytes);
  const auto histograms = vigia::chunk::read_histograms(bytes);
  if (histograms.has_value()) {
    const auto again = vigia::chunk::read_histograms(vigia::chunk::write_histograms(*histograms));
    CHECK(again.has_value() && again->size() == histograms->size());
  }
  return 0;
}
