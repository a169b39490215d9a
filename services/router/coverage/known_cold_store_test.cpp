#include "services/router/coverage/known_cold_store.hpp"

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::router::coverage {
namespace {

constexpr const char* kFile = "/data/cold-store";
const disk_log::StoreIdentity kFirst{"0123456789abcdef", 1'764'000'000'000};
const disk_log::StoreIdentity kNewer{"fedcba9876543210", 1'764'349'999'000};

class KnownColdStoreTest : public testing::Test {
 protected:
  /// As after a start.
  KnownColdStore& start() {
    store_.emplace(kFile, files_);
    return *store_;
  }
  KnownColdStore& start_and_see(const disk_log::StoreIdentity& seen) {
    KnownColdStore& store = start();
    store.note(seen, now_ms_);
    if (store.is_due()) store.keep();
    return store;
  }

  disk_log::MemoryFiles files_;
  TimestampMs now_ms_ = kNewer.made_ms - 60'000;
  std::optional<KnownColdStore> store_;
};

TEST_F(KnownColdStoreTest, TheFirstThatIsSeenIsTheKnownOne) {
  EXPECT_FALSE(start().replacement());
  KnownColdStore& store = start_and_see(kFirst);
  EXPECT_FALSE(store.is_due());
  EXPECT_FALSE(store.replacement());
  store.note(std::nullopt, now_ms_);
  EXPECT_FALSE(store.replacement());
}

TEST_F(KnownColdStoreTest, ANewOneInItsPlaceIsSaidOverRestarts) {
  start_and_see(kFirst).note(kNewer, now_ms_);
  for (int starts = 0; starts < 3; ++starts) {
    const auto replaced = store_->replacement();
    ASSERT_TRUE(replaced);
    EXPECT_TRUE(replaced->lacks(kNewer.made_ms - 1));
    EXPECT_FALSE(replaced->lacks(kNewer.made_ms));
    EXPECT_EQ(replaced->text(),
              "the cold store is new since 2025-11-28T17:13:19Z: what was before is not in it");
    start_and_see(kNewer);
  }
  store_->note(kFirst, now_ms_);
  EXPECT_FALSE(store_->replacement()) << "its disk is mounted again";
}

TEST_F(KnownColdStoreTest, OfAnOlderOneNobodyKnowsWhatItLacks) {
  start_and_see(kNewer).note(kFirst, now_ms_);
  ASSERT_TRUE(store_->replacement());
  EXPECT_TRUE(store_->replacement()->lacks(kNewer.made_ms + 1));
  EXPECT_NE(store_->replacement()->text().find("unknown"), std::string::npos);
}

// A new store whose machine's clock was three years behind said that it had the years between; of a
// known one without a time any clock was believed.
TEST_F(KnownColdStoreTest, OfOneMadeWhileTheKnownOneWasThereNobodyKnowsWhatItLacks) {
  const disk_log::StoreIdentity upgraded{kFirst.id, 0};
  const disk_log::StoreIdentity behind{kNewer.id, now_ms_ - 94'000'000'000};
  start_and_see(upgraded).note(behind, now_ms_);
  for (int starts = 0; starts < 2; ++starts) {
    ASSERT_TRUE(store_->replacement());
    EXPECT_TRUE(store_->replacement()->lacks(now_ms_));
    EXPECT_NE(store_->replacement()->text().find("unknown"), std::string::npos);
    start_and_see(behind);
  }
}

// Made a little earlier by its clock than the known one was last seen by ours.
TEST_F(KnownColdStoreTest, ItIsNewSinceTheKnownOneWasLastSeen) {
  now_ms_ = kNewer.made_ms - 3'600'000;
  start_and_see(kFirst);
  now_ms_ = kNewer.made_ms + 30'000;
  store_->note(kFirst, now_ms_);
  ASSERT_TRUE(store_->is_due());
  store_->keep();
  EXPECT_FALSE(start_and_see(kFirst).is_due());
  store_->note(kNewer, now_ms_ + 5'000);
  EXPECT_TRUE(store_->replacement()->lacks(now_ms_ - 1));
  EXPECT_FALSE(store_->replacement()->lacks(now_ms_));
}

TEST_F(KnownColdStoreTest, APersonConfirmsItOnce) {
  start_and_see(kFirst).note(kNewer, now_ms_);
  EXPECT_EQ(store_->confirm().value(), true);
  EXPECT_FALSE(store_->replacement());
  EXPECT_EQ(store_->confirm().value(), false);
  EXPECT_FALSE(start_and_see(kNewer).replacement());
  EXPECT_TRUE((start_and_see(kFirst).replacement())) << "what was known before is not any more";
}

TEST_F(KnownColdStoreTest, WhatCannotBeWrittenIsNotConfirmedAndTriedAgain) {
  files_.fail_when([](std::string_view call, const std::string&) { return call == "write"; });
  KnownColdStore& store = start();
  store.note(kFirst, now_ms_);
  store.keep();
  EXPECT_TRUE(store.is_due());
  store.note(kNewer, now_ms_);
  EXPECT_FALSE(store.confirm().has_value());
  EXPECT_TRUE(store.replacement());
  files_.fail_when({});
  store.keep();
  EXPECT_TRUE(start_and_see(kNewer).replacement()) << "the first one was written";
}

TEST_F(KnownColdStoreTest, WithoutAFileItIsKnownWhileTheProcessRuns) {
  KnownColdStore store("", files_);
  store.note(kFirst, now_ms_);
  EXPECT_FALSE(store.is_due());
  store.note(kNewer, now_ms_);
  EXPECT_TRUE(store.replacement());
  EXPECT_EQ(store.confirm().value(), true);
  EXPECT_TRUE(files_.names("/").empty());
}

TEST_F(KnownColdStoreTest, ADamagedFileStopsNobody) {
  files_.set_content(kFile, "x");
  KnownColdStore& store = start_and_see(kFirst);
  EXPECT_FALSE(store.replacement());
  EXPECT_TRUE(start_and_see(kNewer).replacement());
}

}  // namespace
}  // namespace vigia::router::coverage
