#include "services/storage/store/rocksdb/kv_metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using testing::ElementsAre;

constexpr std::uint32_t kDay = 20'000;
constexpr customers::CustomerNumber kCustomer{1};

class KvMetadataTest : public testing::Test {
 protected:
  void put(const std::string& metric) {
    const MetricMetadata one{metric, 1, "s", "of " + metric, kDay};
    ASSERT_TRUE(metadata_.put(kCustomer, {&one, 1}).has_value());
  }
  void put_row(const std::string& metric, const std::string& value) {
    std::string key;
    kv::append_key_u32(key, kCustomer.value);
    ASSERT_TRUE(store_->put({{kv::Family::kMetadata, key + metric, value}}, kv::Durability::kNow));
  }
  std::vector<std::string> read() {
    std::vector<std::string> found;
    const auto visit = [&](const MetricMetadata& one) {
      found.push_back(one.metric);
      return true;
    };
    EXPECT_TRUE(metadata_.read(kCustomer, "", visit, WorkLimit()).has_value());
    return found;
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_ = kv::open_rocksdb({folder_.path()}).value();
  KvMetadata metadata_{*store_};
};

TEST_F(KvMetadataTest, AMalformedRowIsThatMetricAlone) {
  put("a");
  put_row("b", std::string("\x02\x01", 2) + std::string(9, '\0'));  // of a version to come
  put_row("c", std::string("\x01\x09\0\0\0\0\0", 7));               // of a type that there is not
  put_row("d", "");
  put("e");
  EXPECT_THAT(read(), ElementsAre("a", "e"));
  EXPECT_EQ(metadata_.damaged(), 3U);
  EXPECT_THAT(read(), ElementsAre("a", "e"));
  EXPECT_EQ(metadata_.damaged(), 3U) << "they were set aside, and are met once";
}

TEST_F(KvMetadataTest, ARowIsCheckedAsItIsRead) {
  put("a");
  const auto scan = store_->scan(kv::Family::kMetadata, "", "");
  ASSERT_TRUE(scan->next());
  EXPECT_TRUE(check_metadata_row(scan->key(), scan->value()).has_value());
  const std::string value(scan->value());
  EXPECT_EQ(check_metadata_row(scan->key().substr(0, 4), value).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(check_metadata_row(scan->key(), value.substr(0, 6)).error().code, ErrorCode::kCorrupt);
}

// What is said again between the look and the deletion is put with another day.
TEST_F(KvMetadataTest, ExpiryLooksOncePerDayOfItsCuts) {
  put("a");
  const TimestampMs over_ms = (static_cast<TimestampMs>(kDay) + 1) * kDayMs;
  EXPECT_EQ(metadata_.expire(over_ms - 1).value(), 0U);
  EXPECT_EQ(metadata_.expire(over_ms).value(), 1U);
  put("a");
  EXPECT_EQ(metadata_.expire(over_ms + 1).value(), 0U) << "of the same day: it was looked at";
  EXPECT_EQ(metadata_.expire(over_ms + kDayMs).value(), 1U);
}

// A customer who is full would make the daily look an hourly one.
TEST_F(KvMetadataTest, RoomThatIsMadeForOneMakesTheNextLookNoLonger) {
  const auto room = [this](std::uint32_t customer, TimestampMs cut_ms) {
    kv::DayCuts cuts(0);
    cuts.own.emplace(customer, cut_ms);
    cuts.earliest_ms = 0;
    cuts.latest_ms = cut_ms;
    return metadata_.expire(cuts).value();
  };
  put("a");
  const TimestampMs over_ms = (static_cast<TimestampMs>(kDay) + 1) * kDayMs;
  EXPECT_EQ(metadata_.expire(over_ms).value(), 1U);
  put("a");
  put("b");
  EXPECT_EQ(room(kCustomer.value, over_ms - 1), 0U);
  EXPECT_EQ(room(kCustomer.value + 1, over_ms), 0U);
  EXPECT_EQ(metadata_.expire(over_ms).value(), 0U) << "of the same day: it was looked at";
  EXPECT_EQ(room(kCustomer.value, over_ms), 2U);
  EXPECT_THAT(read(), testing::IsEmpty());
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
