#include "services/storage/healing/hot_series.hpp"

#include <gmock/gmock.h>

#include "services/storage/healing/made_series.hpp"
#include "services/storage/healing/testing/hot_frames.hpp"

namespace vigia::storage::healing {
namespace {

using testing::ElementsAre;

const CustomerId kA = CustomerId::parse("a").value();
constexpr Stretch kStretch{1'000, 1'999};

std::vector<TimestampMs> times_of(const std::vector<Sample>& samples) {
  std::vector<TimestampMs> times;
  for (const Sample& sample : samples) times.push_back(sample.timestamp_ms);
  return times;
}

struct Read {
  std::vector<HotSeries> series;
  RefusedCounts refused{};
  Result<void> result;

  std::uint64_t count(Refused why) const { return refused[static_cast<std::size_t>(why)]; }
  std::uint64_t all() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t one : refused) sum += one;
    return sum;
  }
};

Read read(std::string_view stream, const CustomerId& customer = kA) {
  Read read;
  read.result = each_hot_series(customer, kStretch, stream, read.refused, [&](HotSeries series) {
    read.series.push_back(std::move(series));
    return Result<void>();
  });
  return read;
}

TEST(HotSeriesTest, SamplesOfTheStretchComeByTimeAndOnce) {
  wire::remote_read::ChunksResponse response;
  const std::string early = xor_chunk({{900, 1}, {1'000, 2}, {1'200, 3}});
  const std::string late = xor_chunk({{1'100, 4}, {1'200, 5}, {1'999, 6}, {2'000, 7}});
  response.add_series(1, made_labels("a", "up"), {{0, 0, 1, late}, {0, 0, 1, early}});
  const Read got = read(response.take());
  ASSERT_TRUE(got.result.has_value());
  ASSERT_EQ(got.series.size(), 1U);
  EXPECT_EQ(got.series[0].labels, made_labels("a", "up"));
  EXPECT_THAT(times_of(got.series[0].samples), ElementsAre(1'000, 1'100, 1'200, 1'999));
  EXPECT_EQ(got.series[0].samples[2].value, 5) << "of one time the first";
  EXPECT_EQ(got.count(Refused::kOutside), 2U);
  EXPECT_EQ(got.all(), 2U);
}

TEST(HotSeriesTest, WhatIsOfOthersIsRefusedAndTheRestIsTaken) {
  const std::string chunk = xor_chunk({{1'000, 1}, {1'100, 1}});
  const std::string stream =
      frame_of(made_labels("b", "up"), chunk) + frame_of(made_labels("", "up"), chunk) +
      frame_of(Labels(), "") +
      frame_of(Labels::from({{"__name__", "system_cpu_usage"}, {"customer_id", "a"}}), chunk) +
      frame_of(made_labels("a", "up"), chunk);
  const Read of_a = read(stream);
  ASSERT_TRUE(of_a.result.has_value());
  ASSERT_EQ(of_a.series.size(), 1U);
  EXPECT_EQ(of_a.series[0].labels, made_labels("a", "up"));
  EXPECT_EQ(of_a.count(Refused::kForeign), 5U) << "a series without a sample counts as one";
  EXPECT_EQ(of_a.count(Refused::kUnasked), 2U);
  const Read of_provider = read(stream, CustomerId::provider());
  ASSERT_EQ(of_provider.series.size(), 1U);
  EXPECT_EQ(of_provider.series[0].labels, made_labels("", "up"));
  EXPECT_EQ(of_provider.count(Refused::kForeign), 6U);
}

TEST(HotSeriesTest, ADamagedChunkCostsItselfAlone) {
  const std::string good = xor_chunk({{1'000, 1}, {1'100, 2}});
  std::string cut = xor_chunk({{1'300, 1.5}, {1'400, 2.25}, {1'500, 1e300}});
  cut.resize(cut.size() - 9);
  wire::remote_read::ChunksResponse response;
  response.add_series(0, made_labels("a", "up"),
                      {{0, 0, 1, cut}, {0, 0, 1, good}, {0, 0, 1, ""}, {0, 0, 3, good}});
  const Read got = read(response.take());
  ASSERT_TRUE(got.result.has_value());
  ASSERT_EQ(got.series.size(), 1U);
  EXPECT_THAT(times_of(got.series[0].samples), ElementsAre(1'000, 1'100));
  EXPECT_EQ(got.count(Refused::kDamaged), 3U) << "an empty one has none";
  EXPECT_EQ(got.count(Refused::kHistogram), 2U);
}

TEST(HotSeriesTest, TimesThatGoBackWithinAChunkAreDamage) {
  // The chunk's own writer does not write such: the second time is changed into one before.
  std::string back = xor_chunk({{1'500, 1}, {1'500 + 128, 1}, {1'500 + 256, 1}});
  const Read sound = read(frame_of(made_labels("a", "up"), back));
  ASSERT_EQ(sound.series.size(), 1U);
  // count, varint of the first time (2 bytes), 8 bytes of the value, then the step as a varint.
  constexpr std::size_t kStep = 2 + 2 + 8;
  ASSERT_EQ(static_cast<unsigned char>(back[kStep]), 0x80U);
  back[kStep + 1] = 0;
  back[kStep] = 0;
  const Read got = read(frame_of(made_labels("a", "up"), back));
  EXPECT_TRUE(got.series.empty());
  EXPECT_EQ(got.count(Refused::kDamaged), 3U);
}

TEST(HotSeriesTest, ASeriesIsBounded) {
  std::vector<Sample> full;
  for (TimestampMs i = 0; i < 60'000; ++i) full.push_back({i, 1});
  const std::string chunk = xor_chunk(full);
  wire::remote_read::ChunksResponse response;
  response.add_series(0, made_labels("a", "up"),
                      std::vector(5, wire::remote_read::ChunkView{0, 0, 1, chunk}));
  const Read got = read(response.take());
  // What is outside is let go chunk by chunk, so that only what is in the stretch is held.
  ASSERT_EQ(got.series.size(), 1U);
  EXPECT_EQ(got.series[0].samples.size(), 1'000U);
  EXPECT_EQ(got.count(Refused::kOutside), 5 * 59'000U);
  EXPECT_EQ(got.count(Refused::kTooMany), 0U);
  RefusedCounts refused{};
  std::size_t taken = 0;
  ASSERT_TRUE(each_hot_series(
                  kA, {0, INT64_MAX},
                  [&] {
                    wire::remote_read::ChunksResponse all;
                    all.add_series(0, made_labels("a", "up"),
                                   std::vector(5, wire::remote_read::ChunkView{0, 0, 1, chunk}));
                    return all.take();
                  }(),
                  refused,
                  [&](HotSeries series) {
                    taken = series.samples.size();
                    return Result<void>();
                  })
                  .has_value());
  EXPECT_EQ(taken, 60'000U);
  EXPECT_EQ(refused[static_cast<std::size_t>(Refused::kTooMany)], 120'000U);
}

TEST(HotSeriesTest, ADamagedFrameEndsIt) {
  const std::string good = frame_of(made_labels("a", "up"), xor_chunk({{1'000, 1}}));
  std::string bad = good;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  const Read got = read(good + bad + good);
  ASSERT_FALSE(got.result.has_value());
  EXPECT_EQ(got.result.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(got.series.size(), 1U);
}

TEST(MadeSeriesTest, MatchersAndCheckAgree) {
  const std::vector<Labels> made = {
      made_labels("a", "up"), made_labels("a", "scrape_samples_scraped"),
      Labels::from({{"__name__", "ALERTS"}, {"customer_id", "a"}, {"alertname", "X"}}),
      Labels::from({{"__name__", "ALERTS_FOR_STATE"}, {"customer_id", "a"}}),
      Labels::from({{"__name__", "vigia:node:up"}, {"customer_id", "a"}, {"job", "j"}})};
  for (const Labels& labels : made) EXPECT_TRUE(is_made(kA, labels)) << to_string(labels);
  const std::vector<Labels> not_made = {
      made_labels("b", "up"),
      made_labels("", "up"),
      Labels::from({{"__name__", "up"}, {"customer_id", "a"}, {"job", "vigia-router"}}),
      Labels::from({{"__name__", "ALERTSx"}, {"customer_id", "a"}}),
      Labels::from({{"__name__", "vigia"}, {"customer_id", "a"}}),
      Labels::from({{"customer_id", "a"}})};
  for (const Labels& labels : not_made) EXPECT_FALSE(is_made(kA, labels)) << to_string(labels);
  const Labels own = Labels::from({{"__name__", "up"}, {"job", "vigia-router"}});
  EXPECT_TRUE(is_made(CustomerId::provider(), own));
  EXPECT_FALSE(is_made(kA, own));
}

TEST(MissingTest, ByTimeWhateverTheValues) {
  EXPECT_THAT(times_of(missing_in({{2, 9}, {4, 9}, {7, 9}}, {{1, 0}, {2, 0}, {3, 0}, {4, 0}})),
              ElementsAre(1, 3));
  EXPECT_TRUE(missing_in({}, {}).empty());
}

}  // namespace
}  // namespace vigia::storage::healing
