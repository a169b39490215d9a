// Damage of what says where the rows are: write-ahead log, CURRENT, MANIFEST.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include "services/storage/store/rocksdb/kv/read_only_store.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_options.hpp"
#include "services/storage/store/rocksdb/kv/testing/rocksdb_damage_fixture.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RocksDbLogDamageTest : public RocksDbDamageTest {};

// Case B8: spans and logs are acknowledged once they are in RocksDB's own log.
TEST_F(RocksDbLogDamageTest, ADamagedRecordOfTheWriteAheadLogCostsItselfAndIsCounted) {
  open();
  for (int i = 0; i < 1'000; ++i)
    put_rows(i, i + 1, i % 100 == 0 ? Durability::kNow : Durability::kLater);
  ASSERT_TRUE(store_->sync().has_value());
  copy_and_close();
  flip(largest(".log"), 40'000);
  open();
  EXPECT_EQ(count_rows(), 999);
  const DamageStats damage = store_->damage();
  EXPECT_EQ(damage.found.at("wal"), 1U);
  EXPECT_EQ(damage.rows_lost, 1U);
  EXPECT_EQ(damage.quarantined_files, 1U);
}

TEST_F(RocksDbLogDamageTest, AWriteAheadLogThatEndsTooEarlyIsNoticed) {
  open();
  for (int i = 0; i < 1'000; ++i) put_rows(i, i + 1);
  ASSERT_TRUE(store_->sync().has_value());
  copy_and_close();
  fs::resize_file(largest(".log"), 40'000);
  open();
  const int left = count_rows();
  EXPECT_LT(left, 1'000);
  EXPECT_EQ(store_->damage().found.at("wal_end"), 1U);
  EXPECT_EQ(store_->damage().rows_lost, static_cast<std::uint64_t>(1'000 - left));
}

// It stays beside the next one until its rows are in tables: at the start after that its torn end
// was taken for damage.
TEST_F(RocksDbLogDamageTest, ATornLogIsNoDamageWhenItIsNotTheLastAnyMore) {
  for (const int rows : {0, 10}) {
    SCOPED_TRACE(rows);
    open();
    put_rows(0, rows, Durability::kNow);
    copy_and_close();
    std::ofstream(files(".log").back(), std::ios::binary | std::ios::app)
        << std::string("crc.\xc8\x00\x01", 7) << std::string(50, 'x');  // of 200 bytes, it says
    for (int starts = 0; starts < 3; ++starts) {
      open();
      ASSERT_NE(store_, nullptr);
      EXPECT_THAT(store_->damage().found, IsEmpty()) << starts;
      EXPECT_EQ(store_->damage().quarantined_files, 0U);
      EXPECT_EQ(count_rows(rows + starts), rows + starts);
      put_rows(rows + starts, rows + starts + 1, Durability::kNow);
      copy_and_close();
    }
    fs::remove_all(folder_.path());
  }
}

TEST_F(RocksDbLogDamageTest, ATornEndOfTheLogThatWasNotAcknowledgedIsNoDamage) {
  open();
  put_rows(0, 100, Durability::kNow);
  put_rows(100, 101);
  copy_and_close();
  fs::resize_file(largest(".log"), fs::file_size(largest(".log")) - 5);
  open();
  EXPECT_EQ(count_rows(), 100);
  EXPECT_THAT(store_->damage().found, IsEmpty());
}

TEST_F(RocksDbLogDamageTest, ADamagedCurrentOrManifestCostsNothing) {
  fill_and_close();
  for (const std::string part : {"CURRENT", "MANIFEST", "MANIFEST-cut", "CURRENT-gone"}) {
    SCOPED_TRACE(part);
    const auto manifests = files("MANIFEST");
    ASSERT_THAT(manifests, Not(IsEmpty()));
    if (part == "CURRENT") flip(files("CURRENT").at(0), 10);
    if (part == "MANIFEST") flip(manifests.back(), fs::file_size(manifests.back()) / 2);
    if (part == "MANIFEST-cut")
      fs::resize_file(manifests.back(), fs::file_size(manifests.back()) / 2);
    if (part == "CURRENT-gone") fs::remove(files("CURRENT").at(0));
    open();
    EXPECT_EQ(count_rows(), kRows);
    EXPECT_THAT(store_->damage().found, Not(IsEmpty()));
    put_rows(0, 100, Durability::kNow);
    copy_and_close();
  }
}

// Both copies damaged: the database is made anew from the rows of its files.
TEST_F(RocksDbLogDamageTest, ADamagedManifestWithoutACopyCostsNothingEither) {
  fill_and_close();
  open();
  put_rows(0, 10, Durability::kNow);
  ASSERT_TRUE(store_->put({{Family::kIndex, "a", "1"}}, Durability::kNow).has_value());
  copy_and_close();
  for (const std::string& path : files("anifest-")) fs::remove(path);
  for (const std::string& path : files("MANIFEST")) flip(path, fs::file_size(path) / 2);
  open();
  EXPECT_EQ(store_->get(Family::kIndex, "a")->value(), "1");
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (count_rows() < kRows && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(count_rows(), kRows);
  EXPECT_EQ(store_->damage().found.at("manifest"), 1U);
}

TEST_F(RocksDbLogDamageTest, WhatIsInTheLogAloneSurvivesADamagedManifest) {
  open();
  put_rows(0, 500, Durability::kNow);
  ASSERT_TRUE(store_->put({{Family::kLogs, "k", "v"}}, Durability::kNow).has_value());
  copy_and_close();
  for (const std::string& path : files("MANIFEST")) flip(path, fs::file_size(path) / 2);
  open();
  EXPECT_EQ(count_rows(), 500);
  EXPECT_EQ(store_->get(Family::kLogs, "k")->value(), "v");
}

// Whoever reads without mending must know: RocksDB opens up to the damage and says that all is
// well.
TEST_F(RocksDbLogDamageTest, WhoOnlyReadsIsToldOfDamageInTheMiddleOfALog) {
  open();
  for (int i = 0; i < 1'000; ++i) put_rows(i, i + 1);
  ASSERT_TRUE(store_->sync().has_value());
  copy_and_close();
  const std::string log = largest(".log");
  {
    const auto whole = open_read_only(folder_.path());
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    EXPECT_THAT((*whole)->log_damage(), IsEmpty());
  }
  flip(log, 40'000);
  const auto opened = open_read_only(folder_.path());
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_THAT((*opened)->log_damage(),
              ElementsAre(AllOf(HasSubstr(fs::path(log).filename().string() + ": 1 damaged"),
                                HasSubstr("the first at byte "))));
}

TEST_F(RocksDbLogDamageTest, WhoOnlyReadsIsNotToldOfAnEndThatAKillTore) {
  open();
  put_rows(0, 100, Durability::kNow);
  put_rows(100, 101);
  copy_and_close();
  fs::resize_file(largest(".log"), fs::file_size(largest(".log")) - 5);
  const auto opened = open_read_only(folder_.path());
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_THAT((*opened)->log_damage(), IsEmpty());
}

TEST_F(RocksDbLogDamageTest, WhoOnlyReadsIsToldOfALogThatEndsTooEarly) {
  open();
  for (int i = 0; i < 1'000; ++i) put_rows(i, i + 1);
  ASSERT_TRUE(store_->sync().has_value());
  copy_and_close();
  fs::resize_file(largest(".log"), 40'000);
  const auto opened = open_read_only(folder_.path());
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_THAT((*opened)->log_damage(), ElementsAre(HasSubstr("writes that were on disk")));
}

TEST_F(RocksDbLogDamageTest, WhoOnlyReadsIsToldOfDamageInATable) {
  fill_and_close();
  const std::string table = largest(".sst");
  flip(table, fs::file_size(table) / 2);
  const auto opened = open_read_only(folder_.path());
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  const auto scan = (*opened)->scan(Family::kChunks, "", "");
  int rows = 0;
  while (scan->next()) ++rows;
  EXPECT_LT(rows, kRows);
  ASSERT_FALSE(scan->status().has_value());
  EXPECT_EQ(scan->status().error().code, ErrorCode::kCorrupt);
}

TEST_F(RocksDbLogDamageTest, WhoOnlyReadsRefusesAColumnFamilyOfALaterVersion) {
  fill_and_close();
  {
    ::rocksdb::Options options;
    std::vector<::rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : family_names()) families.emplace_back(name, options);
    std::vector<::rocksdb::ColumnFamilyHandle*> handles;
    ::rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(::rocksdb::DB::Open(options, folder_.path(), families, &handles, &raw).ok());
    const std::unique_ptr<::rocksdb::DB> database(raw);
    handles.push_back(nullptr);
    EXPECT_TRUE(database->CreateColumnFamily(options, "later", &handles.back()).ok());
    for (auto* handle : handles) database->DestroyColumnFamilyHandle(handle);
  }
  const auto opened = open_read_only(folder_.path());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(opened.error().message, HasSubstr("column family later"));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
