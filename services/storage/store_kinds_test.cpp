#include "services/storage/store_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage {
namespace {

using testing::HasSubstr;

TEST(StoreKinds, TheKindOfTheSettingsIsThereUnlessAnotherIsSaid) {
  const auto kind = find_store_kind(StoreSettings{}.kind);
  ASSERT_TRUE(kind.has_value());
  EXPECT_EQ((*kind)->name, "rocksdb");
}

TEST(StoreKinds, WhatIsNoneIsToldWithAllThereAre) {
  const auto kind = find_store_kind("casandra");
  ASSERT_FALSE(kind.has_value());
  EXPECT_EQ(kind.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(kind.error().message, HasSubstr("casandra"));
  EXPECT_THAT(kind.error().message, HasSubstr("rocksdb"));
}

TEST(StoreKinds, RocksDbIsOpenedInItsFolder) {
  const TemporaryFolder folder;
  const SystemClock clock;
  StoreSettings settings;
  settings.rocksdb.directory = folder.path() + "/store";
  const StoreKind& kind = **find_store_kind("rocksdb");
  EXPECT_EQ(kind.directory(settings), settings.rocksdb.directory);
  auto instance = kind.open(settings, clock, 1U << 20U);
  ASSERT_TRUE(instance.has_value()) << instance.error().message;
  ASSERT_TRUE((*instance)->load());
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const auto number = (*instance)->numbers().number_of(customer);
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ((*instance)->numbers().id_of(*number), customer);
  EXPECT_TRUE((*instance)->is_writable());
  EXPECT_FALSE((*instance)->lacks_rows_of(""));
  EXPECT_EQ((*instance)->catalog_stats().series, 0U);
  // Each kind of damage is there before the first.
  EXPECT_EQ((*instance)->damage().found.at("table"), 0U);
  EXPECT_EQ((*instance)->damage().found.at("row"), 0U);
  const auto second = kind.open(settings, clock, 1U << 20U);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

// What the log and the quarantine name is given to nobody else.
TEST(StoreKinds, NumbersThatAreUsedAreNotGivenAgain) {
  const TemporaryFolder folder;
  const SystemClock clock;
  StoreSettings settings;
  settings.rocksdb.directory = folder.path() + "/store";
  auto instance = (*find_store_kind("rocksdb"))->open(settings, clock, 1U << 20U).value();
  ASSERT_TRUE(instance->load());
  instance->note_used({1'000}, {7});
  const auto number = instance->numbers().number_of(CustomerId::parse("cliente-a").value());
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(number->value, 8U);
  EXPECT_EQ(instance->catalog_stats().series, 1'000U);
}

}  // namespace
}  // namespace vigia::storage
