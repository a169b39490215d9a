// Any bytes as a record of the write-ahead log: an error, or a batch that, encoded again, reads the
// same.
#include <cstddef>
#include <cstdint>

#include "libs/base/check.hpp"
#include "services/storage/ingest/ingest_batch.hpp"

namespace {

using vigia::storage::ingest::IngestBatch;
using vigia::storage::ingest::SeriesBatch;

void check_equal(const SeriesBatch& left, const SeriesBatch& right) {
  CHECK(left.customer == right.customer && left.id == right.id);
  CHECK(left.samples.size() == right.samples.size());
  for (std::size_t i = 0; i < left.samples.size(); ++i) {
    CHECK(left.samples[i].timestamp_ms == right.samples[i].timestamp_ms);
    CHECK(vigia::is_same_value(left.samples[i].value, right.samples[i].value));
  }
  CHECK(left.histograms.size() == right.histograms.size());
  for (std::size_t i = 0; i < left.histograms.size(); ++i) {
    CHECK(left.histograms[i].timestamp_ms == right.histograms[i].timestamp_ms);
    CHECK(left.histograms[i].encoded == right.histograms[i].encoded);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto batch = IngestBatch::decode(bytes);
  if (!batch) return 0;
  const auto again = IngestBatch::decode(batch->encode());
  CHECK(again.has_value() && again->series.size() == batch->series.size());
  for (std::size_t i = 0; i < batch->series.size(); ++i) {
    check_equal(batch->series[i], again->series[i]);
  }
  return 0;
}
