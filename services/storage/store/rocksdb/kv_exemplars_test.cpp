#include "services/storage/store/rocksdb/kv_exemplars.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using testing::ElementsAre;

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = TimestampMs{kDay} * 24 * 3'600'000;
constexpr customers::CustomerNumber kCustomer{1};
constexpr customers::CustomerNumber kOther{2};

class KvExemplarsTest : public testing::Test {
 protected:
  KvExemplarsTest() {
    store_ = kv::open_rocksdb({folder_.path()}).value();
    exemplars_ = KvExemplars::open(*store_).value();
  }

  void put(customers::CustomerNumber customer, std::uint64_t series, TimestampMs at) {
    const std::string labels = encode_labels(Labels::from({{"trace_id", "a"}}));
    const NewExemplar one{{series}, {at, 1.0}, labels};
    ASSERT_TRUE(exemplars_->put(customer, {&one, 1}).has_value());
  }
  // A row that no put has made: of the day and the customer, then the bytes.
  void put_malformed(customers::CustomerNumber customer, const std::string& rest) {
    std::string key;
    kv::append_key_u32(key, kDay);
    kv::append_key_u32(key, customer.value);
    const kv::KeyValue row{kv::Family::kExemplars, key + rest, "no exemplar"};
    ASSERT_TRUE(store_->put({row}, kv::Durability::kNow).has_value());
  }
  std::vector<SeriesId> having(customers::CustomerNumber customer,
                               const std::vector<SeriesId>& series) {
    return exemplars_->having(customer, series, {kStart, kStart + 1000}, WorkLimit()).value();
  }
  std::vector<TimestampMs> read(customers::CustomerNumber customer, std::uint64_t series) {
    std::vector<TimestampMs> found;
    const auto visit = [&](const StoredExemplar& one) {
      found.push_back(one.sample.timestamp_ms);
      return true;
    };
    EXPECT_TRUE(exemplars_->read({customer, {series}}, {kStart, kStart + 1000}, visit, WorkLimit())
                    .has_value());
    return found;
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_;
  std::unique_ptr<KvExemplars> exemplars_;
};

TEST_F(KvExemplarsTest, AMalformedRowAmongThoseOfASeriesIsThatRowAlone) {
  std::string rest;
  kv::append_key_u64(rest, 7);
  kv::append_key_i64(rest, kStart + 2);
  put(kCustomer, 7, kStart + 1);
  put_malformed(kCustomer, rest);
  put(kCustomer, 7, kStart + 3);
  put(kCustomer, 8, kStart + 4);
  EXPECT_THAT(read(kCustomer, 7), ElementsAre(kStart + 1, kStart + 3));
  EXPECT_THAT(read(kCustomer, 8), ElementsAre(kStart + 4));
  EXPECT_EQ(exemplars_->damaged(), 1U);
  EXPECT_THAT(read(kCustomer, 7), ElementsAre(kStart + 1, kStart + 3));
  EXPECT_EQ(exemplars_->damaged(), 1U) << "it was set aside, and is met once";
}

// The look for the series that have any ended at it: all behind it seemed to have none.
TEST_F(KvExemplarsTest, ARowOfNoSeriesHidesNoSeriesBehindIt) {
  const std::uint64_t large = 0x0200'0000'0000'0000;
  put(kCustomer, 7, kStart + 1);
  put_malformed(kCustomer, std::string("\x01", 1));  // between the two
  put(kCustomer, large, kStart + 2);
  put(kOther, 7, kStart + 3);
  EXPECT_THAT(having(kCustomer, {{7}, {8}, {large}}), ElementsAre(SeriesId{7}, SeriesId{large}));
  EXPECT_THAT(having(kOther, {{7}}), ElementsAre(SeriesId{7}));
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
