#include "services/router/coverage/known_cold_store.hpp"

#include <gtest/gtest.h>

#include "libs/pipeline/memory_files.hpp"

namespace vigia::router {
namespace {

constexpr const char* kFile = "/data/cold-store";
const pipeline::StoreIdentity kFirst{"0123456789abcdef", 1'764'000'000'000};
const pipeline::StoreIdentity kNewer{"fedcba9876543210", 1'764'349'999'000};

class KnownColdStoreTest : public testing::Test {
 protected:
  /// As after a start.
  KnownColdStore& start() {
    store_.emplace(kFile, files_);
    return *store_;
  }
  KnownColdStore& start_and_see(const pipeline::StoreIdentity& seen) {
    KnownColdStore& store = start();
    store.note(seen);
    if (store.is_due()) store.keep();
    return store;
  }

  pipeline::MemoryFiles files_;
  std::optional<KnownColdStore> store_;
};

TEST_F(KnownColdStoreTest, TheFirstThatIsSeenIsTheKnownOne) {
  EXPECT_FALSE(start().replacement());
  KnownColdStore& store = start_and_see(kFirst);
  EXPECT_FALSE(store.is_due());
  EXPECT_FALSE(store.replacement());
  store.note(std::nullopt);
  EXPECT_FALSE(store.replacement());
}

TEST_F(KnownColdStoreTest, ANewOneInItsPlaceIsSaidOverRestarts) {
  start_and_see(kFirst).note(kNewer);
  for (int starts = 0; starts < 3; ++starts) {
    const auto replaced = store_->replacement();
    ASSERT_TRUE(replaced);
    EXPECT_TRUE(replaced->lacks(kNewer.made_ms - 1));
    EXPECT_FALSE(replaced->lacks(kNewer.made_ms));
    EXPECT_EQ(replaced->text(),
              "the cold store is new since 2025-11-28T17:13:19Z: what was before is not in it");
    start_and_see(kNewer);
  }
  store_->note(kFirst);
  EXPECT_FALSE(store_->replacement()) << "its disk is mounted again";
}

TEST_F(KnownColdStoreTest, OfAnOlderOneNobodyKnowsWhatItLacks) {
  start_and_see(kNewer).note(kFirst);
  ASSERT_TRUE(store_->replacement());
  EXPECT_TRUE(store_->replacement()->lacks(kNewer.made_ms + 1));
  EXPECT_NE(store_->replacement()->text().find("unknown"), std::string::npos);
}

TEST_F(KnownColdStoreTest, APersonConfirmsItOnce) {
  start_and_see(kFirst).note(kNewer);
  EXPECT_EQ(store_->confirm().value(), true);
  EXPECT_FALSE(store_->replacement());
  EXPECT_EQ(store_->confirm().value(), false);
  EXPECT_FALSE(start_and_see(kNewer).replacement());
  EXPECT_TRUE((start_and_see(kFirst).replacement())) << "what was known before is not any more";
}

TEST_F(KnownColdStoreTest, WhatCannotBeWrittenIsNotConfirmedAndTriedAgain) {
  files_.fail_when([](std::string_view call, const std::string&) { return call == "write"; });
  KnownColdStore& store = start();
  store.note(kFirst);
  store.keep();
  EXPECT_TRUE(store.is_due());
  store.note(kNewer);
  EXPECT_FALSE(store.confirm().has_value());
  EXPECT_TRUE(store.replacement());
  files_.fail_when({});
  store.keep();
  EXPECT_TRUE(start_and_see(kNewer).replacement()) << "the first one was written";
}

TEST_F(KnownColdStoreTest, WithoutAFileItIsKnownWhileTheProcessRuns) {
  KnownColdStore store("", files_);
  store.note(kFirst);
  EXPECT_FALSE(store.is_due());
  store.note(kNewer);
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
}  // namespace vigia::router
