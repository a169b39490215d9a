#include "services/storage/store/rocksdb/kv_due_days.hpp"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

constexpr customers::CustomerNumber kCustomer{1};
constexpr std::uint32_t kDays = 20;
constexpr std::uint64_t kSeries = 30;

class KvDueDaysTest : public testing::Test {
 protected:
  void mark(std::uint64_t series, std::uint32_t day) {
    ChunkRow row;
    row.series = {series};
    row.first_ms = TimestampMs{day} * kDayMs + 1;
    row.last_ms = row.first_ms;
    std::vector<kv::KeyValue> writes;
    marks_.add_marks(kCustomer, row, writes);
    ASSERT_TRUE(store_->put(writes, kv::Durability::kNow).has_value());
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_ = kv::open_rocksdb({folder_.path()}).value();
  KvDueDays marks_{*store_};
};

TEST_F(KvDueDaysTest, MarksOfOtherSeriesThatAreGoneAreNotGoneOver) {
  for (std::uint64_t series = 1; series <= kSeries; ++series) {
    for (std::uint32_t day = 1; day <= kDays; ++day) mark(series, day);
  }
  const auto all = marks_.due(kCustomer, {}, kSeries * kDays);
  ASSERT_EQ(all->size(), kSeries * kDays);
  ASSERT_TRUE(marks_.done(kCustomer, *all).has_value());

  ::rocksdb::SetPerfLevel(::rocksdb::PerfLevel::kEnableCount);
  ::rocksdb::get_perf_context()->Reset();
  const std::vector<SeriesId> asked{{2}, {3}};
  EXPECT_TRUE(marks_.due_of(kCustomer, asked, {0, UINT32_MAX})->empty());
  EXPECT_LE(::rocksdb::get_perf_context()->internal_delete_skipped_count, asked.size() * kDays);
  ::rocksdb::SetPerfLevel(::rocksdb::PerfLevel::kDisable);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
