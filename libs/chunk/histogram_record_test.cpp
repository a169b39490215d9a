#include "libs/chunk/histogram_record.hpp"

#include <gtest/gtest.h>

namespace vigia::chunk {
namespace {

TEST(HistogramRecordTest, GivesBackWhatWasWritten) {
  const std::vector<HistogramSample> histograms = {
      {1'764'000'000'000, std::string("\x08\x03\x00\xff", 4)}, {1'764'000'015'000, ""}, {-5, "x"}};
  const auto read = read_histograms(write_histograms(histograms));
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), histograms.size());
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    EXPECT_EQ((*read)[i].timestamp_ms, histograms[i].timestamp_ms);
    EXPECT_EQ((*read)[i].encoded, histograms[i].encoded);
  }
}

TEST(HistogramRecordTest, EveryCutIsRefused) {
  const std::string whole = write_histograms({{1000, "first"}, {2000, "second"}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = read_histograms(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(read.has_value()) << size;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(read_histograms(whole + "x").has_value());
}

TEST(HistogramRecordTest, AnotherVersionIsRefused) {
  std::string bytes = write_histograms({{1000, "a"}});
  bytes[0] = 2;
  EXPECT_FALSE(read_histograms(bytes).has_value());
}

}  // namespace
}  // namespace vigia::chunk
