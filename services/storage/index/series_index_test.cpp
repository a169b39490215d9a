#include "services/storage/index/series_index.hpp"

#include <gtest/gtest.h>

#include "services/storage/index/index_key.hpp"
#include "services/storage/kv/rocksdb_store.hpp"
#include "services/storage/testing/temporary_folder.hpp"

namespace vigia::storage {
namespace {

class SeriesIndexTest : public testing::Test {
 protected:
  SeriesIndexTest() : store_(open_rocksdb({folder_.path()}).value()) {
    EXPECT_TRUE(SeriesIndex::open(*store_).has_value());
  }
  std::string format() const { return *store_->get(Family::kIndex, index_key::kFormat).value(); }
  void set_format(const std::string& text) {
    ASSERT_TRUE(
        store_->put({{Family::kIndex, std::string(index_key::kFormat), text}}, Durability::kNow));
  }

  TemporaryFolder folder_;
  std::unique_ptr<OrderedStore> store_;
};

TEST_F(SeriesIndexTest, AStoreOfAnOlderVersionIsReadAndBecomesVersion3) {
  EXPECT_EQ(format(), "vigia cold store 3");
  for (const char* older : {"vigia cold store 1", "vigia cold store 2"}) {
    set_format(older);
    EXPECT_TRUE(SeriesIndex::open(*store_).has_value());
    EXPECT_EQ(format(), "vigia cold store 3");
  }
}

TEST_F(SeriesIndexTest, AStoreOfALaterVersionIsRefused) {
  set_format("vigia cold store 4");
  const auto index = SeriesIndex::open(*store_);
  ASSERT_FALSE(index.has_value());
  EXPECT_EQ(index.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(format(), "vigia cold store 4");
}

}  // namespace
}  // namespace vigia::storage
