#include "services/storage/ingest/ingest_batch.hpp"

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia::storage::ingest {
namespace {

IngestBatch two_series() {
  IngestBatch batch;
  batch.series.push_back({{1}, {7}, false, {{1000, 1.5}, {16'000, -2.0}}, {}});
  batch.series.push_back({{2}, {5}, false, {}, {{1000, "hist"}}});
  return batch;
}

// docs/formats/cold-store.md, version 1: a change here is a change of what lies on disks.
TEST(IngestBatchTest, RecordsLookAsTheFormatPageSays) {
  EXPECT_EQ(to_hex(two_series().encode()),
            "01"  // version
            "02"  // series
            "01"
            "0e"  // customer 1, series 0 + 7
            "02"  // samples
            "d00f"
            "000000000000f83f"  // 0 + 1,000 ms, 1.5
            "b0ea01"
            "00000000000000c0"  // + 15,000 ms, -2
            "00"                // histograms
            "02"
            "03"  // customer 2, series 7 - 2
            "00"  // samples
            "01"  // histograms
            "afea01"
            "04"
            "68697374");  // - 15,000 ms, "hist"
}

TEST(IngestBatchTest, EveryCutIsRefused) {
  const std::string whole = two_series().encode();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto batch = IngestBatch::decode(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(batch.has_value()) << size;
    EXPECT_EQ(batch.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(IngestBatch::decode(whole + "x").has_value());
  EXPECT_EQ(IngestBatch::decode(whole)->items(), 3U);
}

}  // namespace
}  // namespace vigia::storage::ingest
