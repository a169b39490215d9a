// Rows of damaged files, written anew while the store takes newer ones.
#include "services/storage/store/rocksdb/kv/mended_rows.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/ordered_tables.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using testing::ElementsAre;

class MendedRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_rocksdb({folder_.path()});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = std::move(*opened);
  }
  void put(const std::string& key, const std::string& value, bool is_gone = false) {
    ASSERT_TRUE(store_->put({{Family::kIndex, key, value, is_gone}}, Durability::kNow));
  }
  std::optional<std::string> get(const std::string& key) {
    return store_->get(Family::kIndex, key).value();
  }
  const TemporaryFolder folder_;
  std::unique_ptr<OrderedStore> store_;
};

// The next series number, read before a new series was made: it must not go back.
TEST_F(MendedRowsTest, ARowThatWasReplacedMeanwhileStaysAsItIs) {
  put("m/next_series", "7");
  MendedRows rows(*store_);
  ASSERT_TRUE(rows.add({{Family::kIndex, "m/next_series", "7"}, "7"}));
  put("m/next_series", "8");
  ASSERT_TRUE(rows.finish());
  EXPECT_EQ(get("m/next_series"), "8");
  EXPECT_EQ(rows.written(), 0U);
}

TEST_F(MendedRowsTest, ARowThatIsGoneMeanwhileStaysGone) {
  put("day", "1");
  put("range", "1");
  MendedRows rows(*store_);
  ASSERT_TRUE(rows.add({{Family::kIndex, "day", "1"}, "1"}));
  ASSERT_TRUE(rows.add({{Family::kIndex, "range", "1"}, "1"}));
  put("day", "", true);
  ASSERT_TRUE(store_->drop_range(Family::kIndex, "r", "s"));
  ASSERT_TRUE(rows.finish());
  EXPECT_EQ(get("day"), std::nullopt);
  EXPECT_EQ(get("range"), std::nullopt);
}

TEST_F(MendedRowsTest, ARowThatCameMeanwhileIsNotReplaced) {
  MendedRows rows(*store_);
  ASSERT_TRUE(rows.add({{Family::kIndex, "new", "old"}, std::nullopt}));
  ASSERT_TRUE(rows.add({{Family::kIndex, "missing", "saved"}, std::nullopt}));
  put("new", "newer");
  ASSERT_TRUE(rows.finish());
  EXPECT_EQ(get("new"), "newer");
  EXPECT_EQ(get("missing"), "saved");
  EXPECT_EQ(rows.written(), 1U);
}

// Whatever the files' names are: a compaction writes old rows into a new file.
TEST(OrderedTablesTest, TheNewestValueOfARowCounts) {
  const TemporaryFolder folder;
  ::rocksdb::Options options;
  options.create_if_missing = true;
  options.disable_auto_compactions = true;
  ::rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(::rocksdb::DB::Open(options, folder.path() + "/db", &raw).ok());
  const std::unique_ptr<::rocksdb::DB> database(raw);
  for (const std::string value : {"1", "2", "3"}) {
    ASSERT_TRUE(database->Put({}, "m/next_series", value).ok());
    ASSERT_TRUE(database->Put({}, "only in " + value, value).ok());
    if (value == "2") {
      ASSERT_TRUE(database->Delete({}, "only in 1").ok());
    }
    ASSERT_TRUE(database->Flush({}).ok());
  }
  std::vector<std::string> tables;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/db")) {
    if (entry.path().extension() == ".sst") tables.push_back(entry.path().string());
  }
  std::sort(tables.rbegin(), tables.rend());  // the newest comes first
  std::vector<std::string> rows;
  const auto read = read_tables_in_order(
      folder.path() + "/scratch", tables,
      [&](const std::string& family, std::string_view key, std::string_view value) -> Result<void> {
        EXPECT_EQ(family, "default");
        rows.push_back(std::string(key) + "=" + std::string(value));
        return {};
      });
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_THAT(rows, ElementsAre("m/next_series=3", "only in 2=2", "only in 3=3"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/scratch"));
  EXPECT_TRUE(std::filesystem::exists(tables.back()));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
