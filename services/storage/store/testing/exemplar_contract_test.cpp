// The contract of exemplars, on every store that keeps them.
#include <gmock/gmock.h>

#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename Store>
class ExemplarContract : public ContractFixture<Store> {
 protected:
  void SetUp() override {
    if (this->store_.cold().exemplars() == nullptr)
      GTEST_SKIP() << "this store keeps no exemplars: it says so by a null";
  }
  ExemplarStore& exemplars() { return *this->store_.cold().exemplars(); }

  static NewExemplar exemplar(TimestampMs time_ms, double value, const std::string& trace,
                              SeriesId series = {7}) {
    return {series, {time_ms, value}, encode_labels(Labels::from({{"trace_id", trace}}))};
  }
  // "time from kStart:value:trace".
  std::vector<std::string> read(const CustomerId& customer, const ExemplarRange& range = {}) {
    std::vector<std::string> all;
    const auto note = [&](const StoredExemplar& one) {
      const Labels labels = to_labels(decode_labels(one.label_bytes).value());
      all.push_back(std::to_string(one.sample.timestamp_ms - kStart) + ":" +
                    std::to_string(static_cast<int>(one.sample.value)) + ":" +
                    std::string(labels.get("trace_id")));
      return true;
    };
    EXPECT_TRUE(exemplars().read(customer, {7}, range, note, this->unlimited_).has_value());
    return all;
  }
};
TYPED_TEST_SUITE(ExemplarContract, Stores);

TYPED_TEST(ExemplarContract, AreGivenByTimeOfTheirSeriesAndCustomerAlone) {
  const std::vector<NewExemplar> own = {this->exemplar(kStart + 20, 2, "y"),
                                        this->exemplar(kStart + 10, 1, "x"),
                                        this->exemplar(kStart + 10, 9, "of 8", {8})};
  ASSERT_TRUE(this->exemplars().put(this->a_, own).has_value());
  const std::vector<NewExemplar> other = {this->exemplar(kStart + 10, 3, "of b")};
  ASSERT_TRUE(this->exemplars().put(this->b_, other).has_value());
  EXPECT_THAT(this->read(this->a_), ElementsAre("10:1:x", "20:2:y"));
  EXPECT_THAT(this->read(this->b_), ElementsAre("10:3:of b"));
  EXPECT_THAT(this->read(CustomerId::parse("nobody").value()), IsEmpty());
}

TYPED_TEST(ExemplarContract, ARepeatIsOneAndSeveralOfOneTimeAreAllKept) {
  const std::vector<NewExemplar> some = {this->exemplar(kStart, 1, "x"),
                                         this->exemplar(kStart, 1, "y"),
                                         this->exemplar(kStart, 2, "y")};
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  EXPECT_EQ(this->read(this->a_).size(), 3U);
}

TYPED_TEST(ExemplarContract, BothEndsOfTheRangeAreIncludedAndDaysFollowEachOther) {
  std::vector<NewExemplar> some;
  for (int hour = 0; hour < 72; hour += 12)
    some.push_back(this->exemplar(kStart + hour * 3'600'000LL, hour, "x"));
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  const ExemplarRange range{kStart + 12 * 3'600'000LL, kStart + 48 * 3'600'000LL};
  EXPECT_EQ(this->read(this->a_, range).size(), 4U);
  EXPECT_THAT(this->read(this->a_, {kStart + 1, kStart}), IsEmpty());
}

TYPED_TEST(ExemplarContract, AReaderThatHasEnoughIsGivenNoMore) {
  std::vector<NewExemplar> some;
  for (int i = 0; i < 2'500; ++i) some.push_back(this->exemplar(kStart + i, i, "x"));
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  EXPECT_EQ(this->read(this->a_).size(), 2'500U);
  int seen = 0;
  const auto two = [&](const StoredExemplar&) { return ++seen < 2; };
  EXPECT_TRUE(this->exemplars().read(this->a_, {7}, {}, two, this->unlimited_).has_value());
  EXPECT_EQ(seen, 2);
}

TYPED_TEST(ExemplarContract, ExpiryTakesWholeDays) {
  const std::vector<NewExemplar> some = {this->exemplar(kStart + 1, 1, "x"),
                                         this->exemplar(kStart + kDayMs, 2, "y")};
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  EXPECT_EQ(this->exemplars().expire(kStart + kDayMs - 1).value(), 0U);
  EXPECT_EQ(this->exemplars().expire(kStart + kDayMs).value(), 1U);
  EXPECT_EQ(this->read(this->a_).size(), 1U);
}

TYPED_TEST(ExemplarContract, ADayExpiresByCustomer) {
  const std::vector<NewExemplar> some = {this->exemplar(kStart + 1, 1, "x")};
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  ASSERT_TRUE(this->exemplars().put(this->b_, some).has_value());
  ExpiryCuts cuts(kStart);
  cuts.own[this->a_] = kStart + kDayMs;
  EXPECT_EQ(this->exemplars().expire(cuts).value(), 1U);
  EXPECT_EQ(this->read(this->a_).size(), 0U);
  int seen = 0;
  const auto count = [&](const StoredExemplar&) { return ++seen > 0; };
  EXPECT_TRUE(this->exemplars().read(this->b_, {7}, {0, INT64_MAX}, count, this->unlimited_));
  EXPECT_EQ(seen, 1);
}

TYPED_TEST(ExemplarContract, SaysWhichSeriesHaveAny) {
  const std::vector<NewExemplar> some = {this->exemplar(kStart, 1, "x", {2}),
                                         this->exemplar(kStart + kDayMs, 1, "x", {5}),
                                         this->exemplar(kStart + kDayMs, 1, "x", {9}),
                                         this->exemplar(kStart + 2 * kDayMs, 1, "x", {2})};
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  const std::vector<NewExemplar> others = {this->exemplar(kStart, 1, "x", {4})};
  ASSERT_TRUE(this->exemplars().put(this->b_, others).has_value());
  const std::vector<SeriesId> asked = {{1}, {2}, {3}, {4}, {9}, {10}};
  const auto having = [&](const CustomerId& customer, const ExemplarRange& range) {
    return this->exemplars().having(customer, asked, range, this->unlimited_).value();
  };
  EXPECT_THAT(having(this->a_, {}), ElementsAre(SeriesId{2}, SeriesId{9}));
  EXPECT_THAT(having(this->a_, {kStart + kDayMs, kStart + 2 * kDayMs - 1}),
              ElementsAre(SeriesId{9}));
  EXPECT_THAT(having(this->b_, {}), ElementsAre(SeriesId{4}));
  EXPECT_THAT(having(this->a_, {1, 0}), IsEmpty());
}

TYPED_TEST(ExemplarContract, ASearchThatIsOverSaysSo) {
  const std::vector<NewExemplar> some = {this->exemplar(kStart, 1, "x")};
  ASSERT_TRUE(this->exemplars().put(this->a_, some).has_value());
  const SystemClock clock;
  const WorkLimit gone(clock, std::chrono::hours(1), std::make_shared<std::atomic<bool>>(true));
  const auto read =
      this->exemplars().read(this->a_, {7}, {}, [](const StoredExemplar&) { return true; }, gone);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vigia::storage::store
