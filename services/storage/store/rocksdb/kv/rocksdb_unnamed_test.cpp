// Tables that no MANIFEST names: what a kill leaves of a compaction, or more than that.
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/kv/testing/rocksdb_damage_fixture.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using RocksDbUnnamedTest = RocksDbDamageTest;

// A compaction, or the writing of a log's rows at a start, that a kill has ended leaves a table
// that no MANIFEST names; all of its rows are elsewhere, or in the log still.
TEST_F(RocksDbUnnamedTest, ATableThatAKillHasLeftIsNoDamage) {
  fill_and_close();
  open();
  const std::uint64_t mark = store_->damage().mark;
  close();
  for (int starts = 0; starts < 2; ++starts) {
    fs::copy_file(largest(".sst"), folder_.path() + fmt::format("/{:06}.sst", 900'000 + starts));
    open();
    EXPECT_EQ(store_->damage().mark, mark) << "while it is looked at, or soon after";
    eventually([this] { return store_->damage().unsaved_files == 0; });
    EXPECT_EQ(store_->damage().mark, mark);
    EXPECT_EQ(count_rows(), kRows);
    EXPECT_EQ(store_->damage().quarantined_files, 0U);
    close();
  }
}

// One that has no end yet is not touched on the way: a kill while it lay in the quarantine made it
// the file of a damage that never was.
TEST_F(RocksDbUnnamedTest, ATableThatAKillHasLeftWithoutAnEndStaysWhereItIs) {
  fill_and_close();
  const std::string left = folder_.path() + "/900000.sst";
  fs::copy_file(largest(".sst"), left);
  fs::resize_file(left, 300'000);
  open();
  EXPECT_FALSE(fs::exists(folder_.path() + "/quarantine"));
  EXPECT_FALSE(fs::exists(left));
  EXPECT_EQ(count_rows(), kRows);
}

// Nothing says why the store lacks its rows: what goes by the mark has to look again.
TEST_F(RocksDbUnnamedTest, ATableBesideTheOthersWhoseRowsAreMissingIsAnotherMark) {
  fill_and_close();
  fs::copy_file(largest(".sst"), folder_.path() + "/kept");
  open();
  const std::uint64_t mark = store_->damage().mark;
  ASSERT_TRUE(store_->put({{Family::kChunks, row_key(7), "", true}}, Durability::kNow));
  ASSERT_TRUE(store_->compact().has_value());
  EXPECT_EQ(count_rows(), kRows - 1);
  close();
  fs::rename(folder_.path() + "/kept", folder_.path() + "/900000.sst");
  open();
  eventually([this] { return store_->damage().unsaved_files == 0; });
  EXPECT_EQ(count_rows(), kRows);
  EXPECT_NE(store_->damage().mark, mark);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
