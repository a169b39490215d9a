// Values of one label that are too many for one partition.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/cassandra/testing/contract_stores.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::uint32_t kDay = 20'000;

class LabelPartsOnANode : public ::testing::Test {
 protected:
  std::unique_ptr<CassandraColdStore> opened(std::size_t part_bytes) {
    ColdStoreSettings settings = OnCassandra::settings_of(first_.shared);
    settings.event_part_bytes = part_bytes;
    return CassandraColdStore::open(*first_.shared.session, settings, first_.clock).value();
  }
  static std::string pod(int number) { return fmt::format("pod-{:03}", number); }
  void resolve(CassandraColdStore& store, int number, const DayRange& days) {
    const std::uint64_t seed = store.catalog().seed_of(a_).value();
    const Labels labels = Labels::from({{"__name__", "m"}, {"pod", pod(number)}});
    std::vector<NewSeries> series = {
        {labels, hash_labels(seed, to_string(labels)), days, {}, false}};
    ASSERT_TRUE(store.catalog().resolve(a_, series).has_value());
  }
  std::vector<std::string> values(CassandraColdStore& store, const DayRange& days = kAllDays,
                                  const std::string& after = "") {
    return store.catalog().label_values(a_, "pod", {days, after}, unlimited_).value().texts;
  }
  std::size_t parts() {
    const auto all = first_.shared.session
                         ->prepare({fmt::format("SELECT DISTINCT customer_id, name FROM "
                                                "{}.label_values",
                                                first_.shared.settings.keyspace)})
                         .value();
    return first_.shared.session->fetch({*all, {}, "", std::chrono::seconds(20)})->rows();
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const WorkLimit unlimited_;
  OnCassandra first_;
};

TEST_F(LabelPartsOnANode, AllPartsAreListedInOrderAndExpire) {
  const auto store = opened(400);
  std::vector<std::string> wanted;
  for (int number = 0; number < 40; ++number) {
    resolve(*store, number, {kDay, kDay});
    wanted.push_back(pod(number));
  }
  EXPECT_GT(parts(), 4U);
  const auto other = opened(kEventPartBytes);
  EXPECT_EQ(values(*other), wanted);
  EXPECT_THAT(other->catalog().label_names(a_, {}, unlimited_)->texts,
              ElementsAre("__name__", "pod"));
  EXPECT_THAT(values(*other, kAllDays, pod(36)), ElementsAre(pod(37), pod(38), pod(39)));
  // It takes the label for undivided: the value then lies in two parts, with other days in each.
  resolve(*other, 39, {kDay + 2, kDay + 2});
  EXPECT_THAT(values(*other), SizeIs(40));
  EXPECT_THAT(values(*other, {kDay + 1, kDay + 1}), ElementsAre(pod(39)));
  EXPECT_THAT(values(*other, {kDay, kDay}), SizeIs(40));
  const TimestampMs cut_ms = TimestampMs{kDay + 1} * kDayMs;
  ASSERT_TRUE(other->catalog().expire(cut_ms, cut_ms).has_value());
  EXPECT_THAT(values(*other), ElementsAre(pod(39)));
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
