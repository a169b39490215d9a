#include "services/storage/store/rocksdb/kv/folder_check.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/kv/testing/rocksdb_damage_fixture.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FolderCheckTest : public RocksDbDamageTest {
 protected:
  CheckReport check() {
    const auto before = contents();
    const auto report = check_folder(
        folder_.path(),
        [this](std::string_view family, std::string_view key, std::string_view) -> Result<void> {
          EXPECT_EQ(family, "chunks");
          if (key != bad_key_) return {};
          return fail(ErrorCode::kCorrupt, "a bad row");
        },
        [this](const std::string& file, std::size_t) { read_.push_back(file); });
    EXPECT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(contents(), before) << "a look changes nothing";
    return report.value_or(CheckReport());
  }
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream bytes;
      bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      found[entry.path().filename()] = bytes.str();
    }
    return found;
  }
  static std::string name_of(const std::string& path) { return fs::path(path).filename(); }

  std::string bad_key_;
  std::vector<std::string> read_;
};

TEST_F(FolderCheckTest, OfAWholeFolderEveryRowIsReadAndNothingIsDamaged) {
  fill_and_close();
  const CheckReport report = check();
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_EQ(report.rows.at("chunks"), static_cast<std::uint64_t>(kRows));
  EXPECT_GT(report.bytes, static_cast<std::uint64_t>(kRows) * 300);
  EXPECT_THAT(read_, ::testing::Contains(name_of(largest(".sst"))));
}

TEST_F(FolderCheckTest, ADamagedBlockIsNamedWithFileAndCost) {
  fill_and_close();
  const std::string table = largest(".sst");
  flip(table, 300'000);
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  const FileFault& fault = report.faults[0];
  EXPECT_EQ(fault.file, name_of(table));
  EXPECT_EQ(fault.what, "table");
  EXPECT_THAT(fault.cost, HasSubstr("customer 7"));
  EXPECT_GT(fault.rows_lost, 0U);
  EXPECT_LE(fault.rows_lost, static_cast<std::uint64_t>(kRowsOfABlock));
  EXPECT_EQ(report.rows.at("chunks") + fault.rows_lost, static_cast<std::uint64_t>(kRows));
}

TEST_F(FolderCheckTest, AMissingTableAndACurrentThatNamesNothingAreNamed) {
  fill_and_close();
  const std::string table = largest(".sst");
  fs::remove(table);
  const CheckReport missing = check();
  ASSERT_THAT(missing.faults, SizeIs(1));
  EXPECT_EQ(missing.faults[0].what, "table_missing");
  EXPECT_EQ(missing.faults[0].file, name_of(table));
  std::ofstream(folder_.path() + "/CURRENT") << "MANIFEST-999999\n";
  const CheckReport current = check();
  ASSERT_THAT(current.faults, SizeIs(1));
  EXPECT_EQ(current.faults[0].what, "current");
}

TEST_F(FolderCheckTest, ACurrentOfEarlierIsNamed) {
  open();
  std::vector<std::string> old = files("MANIFEST-");
  old.push_back(folder_.path() + "/CURRENT");
  const TemporaryFolder kept;
  for (const std::string& path : old) fs::copy(path, kept.path() + "/" + name_of(path));
  close();
  open();
  close();
  EXPECT_THAT(check().faults, IsEmpty());
  for (const std::string& path : old) {
    fs::copy(kept.path() + "/" + name_of(path), path, fs::copy_options::overwrite_existing);
  }
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_EQ(report.faults[0].what, "current");
  EXPECT_THAT(report.faults[0].reason, HasSubstr("a newer one has been in use"));
}

TEST_F(FolderCheckTest, ARowThatIsNoneAlthoughItsChecksumIsRightIsNamed) {
  fill_and_close();
  bad_key_ = row_key(5);
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_EQ(report.faults[0].what, "row");
  EXPECT_EQ(report.faults[0].reason, "a bad row");
  EXPECT_EQ(report.faults[0].rows_lost, 1U);
}

TEST_F(FolderCheckTest, WhatLiesInTheLogAloneIsReadAndAFlippedBitInItIsNamed) {
  open();
  put_rows(0, 100);
  put_rows(100, 200, Durability::kNow);
  copy_and_close();
  EXPECT_THAT(check().faults, IsEmpty());
  flip(largest(".log"), 3'000);
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_EQ(report.faults[0].what, "wal");
}

// A kill tears a log, and it may stay beside the next one.
TEST_F(FolderCheckTest, ATornLogBesideALaterOneIsNoDamage) {
  open();
  for (int i = 0; i < 300; ++i) put_rows(i, i + 1, Durability::kNow);
  copy_and_close();
  const std::string log = largest(".log");
  std::ofstream(log, std::ios::binary | std::ios::app)
      << std::string("crc.\xc8\x00\x01", 7) << std::string(50, 'x');  // of 200 bytes, it says
  const std::string whole = contents().at(name_of(log));
  open();
  put_rows(300, 310, Durability::kNow);
  copy_and_close();
  std::ofstream(log, std::ios::binary) << whole;  // as where its rows are in no table yet
  EXPECT_THAT(check().faults, IsEmpty());
}

// Between two records nothing in the log itself says so; the mark does.
TEST_F(FolderCheckTest, ALogThatEndsBeforeWhatWasOnDiskIsNamed) {
  open();
  for (int i = 0; i < 1'000; ++i) put_rows(i, i + 1);
  ASSERT_TRUE(store_->sync().has_value());
  copy_and_close();
  EXPECT_THAT(check().faults, IsEmpty());
  const std::string log = largest(".log");
  fs::resize_file(log, 40'000);
  const CheckReport report = check();
  ASSERT_THAT(report.faults, SizeIs(1));
  EXPECT_EQ(report.faults[0].file, name_of(log));
  EXPECT_EQ(report.faults[0].what, "wal_end");
  open();
  EXPECT_EQ(report.faults[0].rows_lost, static_cast<std::uint64_t>(1'000 - count_rows()));
  close();
  EXPECT_THAT(check().faults, IsEmpty()) << "a start has told it";
  flip(folder_.path() + "/vigia-mark", 10);
  ASSERT_THAT(check().faults, SizeIs(1));
  EXPECT_EQ(check().faults[0].what, "mark");
}

TEST_F(FolderCheckTest, AFolderThatIsInUseOrNotThereIsNotLookedAt) {
  open();
  const auto no_rows = [](std::string_view, std::string_view, std::string_view) -> Result<void> {
    return {};
  };
  const auto no_progress = [](const std::string&, std::size_t) {};
  const auto held = check_folder(folder_.path(), no_rows, no_progress);
  ASSERT_FALSE(held.has_value());
  EXPECT_EQ(held.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(held.error().message, HasSubstr("stop vigia-storage first"));
  const auto missing = check_folder(folder_.path() + "/nothing", no_rows, no_progress);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
