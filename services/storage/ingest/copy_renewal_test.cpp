#include "services/storage/ingest/copy_renewal.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/histograms/native_histogram.hpp"
#include "services/storage/ingest/testing/copied_ingester.hpp"

namespace vigia::storage::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr auto kMinute = std::chrono::minutes(1);

class CopyRenewalTest : public CopiedIngesterTest {
 protected:
  static constexpr auto kFirst = static_cast<store::OpenSlot>(kNowMs / 60'000);
  void SetUp() override { start(); }
  /// Moves time and waits for a sweep.
  void advance(Duration step) {
    const std::uint64_t before = ingester_->stats().sweeps;
    clock_.advance(step);
    ASSERT_TRUE(becomes([&] { return ingester_->stats().sweeps > before; }));
  }
  /// Sweep by sweep, a minute apart.
  bool comes(const std::function<bool()>& wanted) {
    for (int minute = 0; minute < 60 && !wanted(); ++minute) advance(kMinute);
    return wanted();
  }
  /// The store takes again what it refused.
  void store_all() {
    chunks_.is_refusing = false;
    ASSERT_TRUE(becomes([&] { return heads_->stats().closed.chunks == 0; }));
  }
  static SeriesBatch series(std::uint32_t customer, std::uint64_t id,
                            TimestampMs time_ms = kNowMs) {
    return {{customer}, {id}, false, {{time_ms, 1.5}, {time_ms + 1000, 2.5}}, {}};
  }
  /// What lies in slots from this one on: by customer and series, time and value.
  using Copies = std::map<std::pair<std::string, std::uint64_t>, std::map<TimestampMs, double>>;
  Copies kept_from(store::OpenSlot slot) const {
    Copies copies;
    for (const auto& [at, row] : rows_.kept()) {
      if (at < slot) continue;
      const IngestBatch batch = IngestBatch::decode(row.body).value();
      for (const SeriesBatch& one : batch.series) {
        auto& samples = copies[{row.customer.text(), one.id.value}];
        for (const Sample& sample : one.samples) samples[sample.timestamp_ms] = sample.value;
        for (const auto& histogram : one.histograms) samples[histogram.timestamp_ms] = -1;
      }
    }
    return copies;
  }
};

TEST_F(CopyRenewalTest, WhatTheStoreDoesNotTakeForHoursIsKeptAnewAndItsOldSlotsGo) {
  chunks_.is_refusing = true;
  histograms::NativeHistogram sound;  // which lies in a chunk once it is closed
  sound.count = 5;
  sound.positive.spans = {{0, 1}};
  sound.positive.deltas = {5};
  SeriesBatch histogram{
      {2}, {9}, false, {}, {{kNowMs, histograms::encode_histogram(sound, kNowMs)}}};
  write({series(1, 7), series(1, 8)});
  write({series(2, 7 + 64), histogram});
  advance(4 * 60 * kMinute - kMinute);
  EXPECT_THAT(kept_from(kFirst + 1), IsEmpty());
  write({series(3, 5, kNowMs + 239 * 60'000)});  // young: its own copy will do
  advance(2 * kMinute);
  const store::OpenSlot then = kFirst + 241;
  ASSERT_TRUE(becomes([&] { return ingester_->stats().renewal.samples == 7; }));
  const Copies copies = kept_from(then);
  const auto both = ElementsAre(Pair(kNowMs, 1.5), Pair(kNowMs + 1000, 2.5));
  EXPECT_THAT(copies, ElementsAre(Pair(Pair("c-1", 7), both), Pair(Pair("c-1", 8), both),
                                  Pair(Pair("c-2", 9), SizeIs(1)), Pair(Pair("c-2", 71), both)));
  ASSERT_TRUE(comes([&] { return rows_.released() == kFirst + 239; }))
      << "the young one's slot is the oldest that is needed";
  EXPECT_EQ(ingester_->stats().renewal.samples, 7U) << "and is not due for hours";
  store_all();
  advance(3 * 60 * kMinute);  // closes the young one
  store_all();
  EXPECT_TRUE(comes([&] { return rows_.released() > then; }));
}

TEST_F(CopyRenewalTest, WhatIsRefusedIsTriedAgainAndLetsNothingGo) {
  chunks_.is_refusing = true;
  write({series(1, 7)});
  rows_.is_refusing = true;
  advance(5 * 60 * kMinute);
  ASSERT_TRUE(becomes([&] { return ingester_->stats().renewal.failures > 0; }));
  advance(kMinute);
  EXPECT_LE(rows_.released(), kFirst);
  rows_.is_refusing = false;
  EXPECT_TRUE(comes([&] { return rows_.released() > kFirst + 300; }));
  EXPECT_THAT(kept_from(kFirst + 1), SizeIs(1));
}

TEST_F(CopyRenewalTest, WhatWasOpenBeforeARestartIsKeptAnewToo) {
  chunks_.is_refusing = true;
  write({series(1, 7)});
  stop();
  clock_.advance(3 * 60 * kMinute);
  start();
  EXPECT_EQ(rows_.released(), 0U);
  advance(61 * kMinute);
  EXPECT_TRUE(comes([&] { return rows_.released() > kFirst + 240; }));
  EXPECT_THAT(kept_from(kFirst + 1), SizeIs(1));
}

// One chunk, and neither the others of its series nor those of anybody else.
TEST(ReadableSamplesTest, AChunkThatCannotBeUnpackedIsThatChunk) {
  const auto chunk_of = [](const std::vector<Sample>& samples) {
    chunk::ChunkWriter writer;
    for (const Sample& sample : samples) writer.append(sample);
    return std::string(writer.bytes());
  };
  heads::HeadView view;
  for (const char* kind : {"sound", "cut", "histograms", "sound"}) {
    store::ChunkRow& row = view.closed.emplace_back();
    row.data = chunk_of({{1000, 1}, {2000, 2}});
    if (kind == std::string("cut")) row.data.resize(row.data.size() - 1);
    if (kind == std::string("histograms")) row.encoding = store::Encoding::kHistograms;
  }
  view.chunk = chunk_of({{5000, 5}}).substr(0, 3);
  view.late = {{6000, 6}};
  view.histograms = {{7000, "one"}};
  const ReadableSamples all = readable_samples({{3}, {9}}, view);
  EXPECT_EQ(all.series.customer.value, 3U);
  EXPECT_EQ(all.series.id.value, 9U);
  EXPECT_EQ(all.unreadable, 3U);
  EXPECT_TRUE(all.why.has_value());
  EXPECT_EQ(all.series.samples.size(), 5U);
  EXPECT_EQ(all.series.histograms.size(), 1U);
  EXPECT_EQ(readable_samples({{3}, {9}}, {}).unreadable, 0U);
}

}  // namespace
}  // namespace vigia::storage::ingest
